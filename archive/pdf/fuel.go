package pdf

// fuel is what the reading of a file may still cost, in tokens; nothing is read without.
type fuel struct {
	left    int
	expired func() bool // whether the time is up; nil: never
	burnt   int         // since it was last asked
	slow    bool        // it was
}

// askEvery is after how many tokens it is asked whether the time is up.
const askEvery = 1 << 12

// spend takes n tokens. Once the time is up there is no fuel left, whatever there was.
func (f *fuel) spend(n int) {
	f.left -= n
	if f.burnt += n; f.burnt < askEvery {
		return
	}
	f.burnt = 0
	f.ask()
}

// ask says whether the time is up.
func (f *fuel) ask() bool {
	if f.expired != nil && !f.slow && f.expired() {
		f.slow = true
	}
	if f.slow {
		f.left = -1
	}
	return f.slow
}

// perToken is how many bytes that are passed over cost as much as a token.
const perToken = 10 // a power of two
