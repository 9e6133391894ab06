package storage

// endAll writes how tasks ended, with all that they brought, and tells which of the ends count. The tasks' hosts are
// locked.
func (x *tx) endAll(ends []End, paused runSet) ([]bool, error) {
	if x.db.d.server {
		return x.endMany(ends, paused)
	}
	held := make([]bool, len(ends))
	for i := range ends {
		var err error
		if held[i], err = x.end(&ends[i], paused); err != nil {
			return nil, err
		}
	}
	return held, nil
}

// endMany is end for many at once, where each statement is a trip: the tasks first, then what those brought that count.
func (x *tx) endMany(ends []End, paused runSet) ([]bool, error) {
	held := make([]bool, len(ends))
	var left []int
	for i := range ends {
		ok, err := x.settle(&ends[i])
		if err != nil {
			return nil, err
		}
		if ok {
			left = append(left, i)
		}
	}
	for len(left) > 0 {
		var now []int
		now, left = distinctTasks(ends, left)
		if err := x.endTasks(ends, now, paused, held); err != nil {
			return nil, err
		}
	}
	var captures []Capture
	var attempts []Attempt
	for i := range ends {
		if held[i] {
			captures, attempts = append(captures, ends[i].Captures...), append(attempts, ends[i].Attempts...)
		}
	}
	if err := x.insertCaptures(captures); err != nil {
		return nil, err
	}
	if err := x.insertAttempts(attempts); err != nil {
		return nil, err
	}
	for i := range ends {
		if !held[i] {
			continue
		}
		if e := &ends[i]; e.Post != nil {
			if err := x.insertPost(*e.Post); err != nil {
				return nil, err
			}
		}
		if err := x.keep(&ends[i]); err != nil {
			return nil, err
		}
	}
	if err := x.enqueueFound(ends, held, paused); err != nil {
		return nil, err
	}
	for i := range ends {
		if held[i] {
			if err := x.noteEntries(&ends[i]); err != nil {
				return nil, err
			}
		}
	}
	return held, nil
}

// taskKey names a task as its row does.
type taskKey struct {
	host    string
	run, id int64
}

func keyOf(t *Task) taskKey { return taskKey{foldKey(t.Host), t.Run, t.ID} }

// distinctTasks parts ends into those of different tasks, which one statement can write, and the rest, which come after.
func distinctTasks(ends []End, in []int) (now, rest []int) {
	seen := make(map[taskKey]bool, len(in))
	for _, i := range in {
		if k := keyOf(&ends[i].Task); seen[k] {
			rest = append(rest, i)
		} else {
			seen[k] = true
			now = append(now, i)
		}
	}
	return now, rest
}

// endTasks is the first statement of end for ends of different tasks. It marks in held those that count.
func (x *tx) endTasks(ends []End, which []int, paused runSet, held []bool) error {
	n := len(which)
	hosts, outcomes := make([]string, n), make([]string, n)
	ints := make([][]int64, 9) // place, run, id, token, due, attempts, status, version, stands
	for c := range ints {
		ints[c] = make([]int64, n)
	}
	for k, i := range which {
		t := paused.parkOne(ends[i].Task)
		status, version := ends[i].answer()
		hosts[k], outcomes[k] = foldKey(t.Host), t.Outcome
		for c, v := range []int64{int64(i), t.Run, t.ID, ends[i].Token, t.Due, int64(t.Attempts), status, version, ends[i].mark()} {
			ints[c][k] = v
		}
	}
	return x.each(func(r row) error {
		var i int
		err := r.Scan(&i)
		held[i] = err == nil
		return err
	}, `UPDATE tasks t SET due_at=u.due_at, attempts=u.attempts, outcome=u.outcome, status=u.status, version=u.version, stands=u.stands
		FROM unnest($1::text[],$2::text[],$3::bigint[],$4::bigint[],$5::bigint[],$6::bigint[],$7::bigint[],$8::bigint[],$9::bigint[],$10::bigint[],$11::bigint[])
			AS u(host,outcome,place,run,id,token,due_at,attempts,status,version,stands)
		WHERE t.host=u.host AND t.run=u.run AND t.id=u.id AND t.due_at < 1152921504606846976
			AND EXISTS (SELECT 1 FROM hosts h WHERE h.host=u.host AND h.lease=u.token AND h.lease<>0)
		RETURNING u.place`, hosts, outcomes, ints[0], ints[1], ints[2], ints[3], ints[4], ints[5], ints[6], ints[7], ints[8])
}

// enqueueFound adds the tasks that ends have discovered, and writes into each end how many of them were new.
func (x *tx) enqueueFound(ends []End, held []bool, paused runSet) error {
	var found []Task
	by := map[taskKey]int{} // the end that found a task first
	for i := range ends {
		if !held[i] {
			continue
		}
		ends[i].Added = 0
		for _, t := range paused.park(ends[i].New) {
			found = append(found, t)
			if k := keyOf(&t); by[k] == 0 {
				by[k] = i + 1
			}
		}
	}
	const most = 5000
	for from := 0; from < len(found); from += most {
		part := found[from:min(from+most, len(found))]
		arrays, types, err := columns(taskRows(part), 11)
		if err != nil {
			return err
		}
		err = x.each(func(r row) error {
			var k taskKey
			err := r.Scan(&k.host, &k.run, &k.id)
			if i := by[k]; i > 0 {
				ends[i-1].Added++
			}
			return err
		}, `INSERT INTO tasks (`+taskCols+`) SELECT * FROM unnest(`+types+`) ON CONFLICT DO NOTHING RETURNING host, run, id`, arrays...)
		if err != nil {
			return err
		}
	}
	return x.wake(found)
}
