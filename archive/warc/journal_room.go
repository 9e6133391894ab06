package warc

import "time"

// Budget is what a journal may use of its spool's disk.
type Budget struct {
	Max  int64 // bytes of segments and spills; 0: without bound
	Free int64 // bytes that are to be left free on the disk
}

// lookEvery is how often the disk is asked for its free space.
const lookEvery = 200 * time.Millisecond

// Room says whether the spool has room for more exchanges. One that has become full has room again when a tenth of its
// budget is free: what is captured meanwhile is only what was under way. The error is why the journal takes nothing at all.
func (j *Journal) Room() (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refuses(); err != nil {
		return false, err
	}
	return j.room(), nil
}

// room is Room with the lock held.
func (j *Journal) room() bool {
	used := j.used()
	most := j.Budget.Max
	if j.full {
		most -= most / 10
	}
	full := j.Budget.Max > 0 && used >= most || j.short()
	if full == j.full {
		return !full
	}
	j.full = full
	if !full {
		j.Log.Warn("the spool has room again: capture goes on", "spool", j.Spool.Dir(), "bytes", used)
		return true
	}
	j.Log.Warn("the spool is full: capture pauses until segments could be stored. See that the blob store can be reached, "+
		"or give the spool more room (spool.max, or space on its disk: spool.free)",
		"spool", j.Spool.Dir(), "bytes", used, "max", j.Budget.Max, "free", j.Budget.Free)
	j.retireAll()
	return false
}

// used are the bytes in the spool: open, sealed and spilled. The lock is held.
func (j *Journal) used() int64 {
	n := j.Spool.Spilled().Load()
	for _, s := range j.open {
		n += s.size
	}
	for _, s := range j.closing {
		n += s.size
	}
	return n
}

// short says whether the disk has too little space left. The lock is held.
func (j *Journal) short() bool {
	if j.Budget.Free <= 0 {
		return false
	}
	if now := time.Now(); now.Sub(j.looked) >= lookEvery {
		free, err := j.Spool.Free()
		if err != nil {
			j.Log.Warn("the spool's disk does not tell its free space", "error", err)
		}
		least := j.Budget.Free
		if j.tight {
			least += least / 10
		}
		j.looked, j.tight = now, err == nil && free < least
	}
	return j.tight
}

// retireAll takes every segment that something stands in out of use: stored, they make room. The lock is held.
func (j *Journal) retireAll() {
	for c, s := range j.open {
		if s.units > 0 {
			j.retire(c)
		}
	}
	j.nudge()
}
