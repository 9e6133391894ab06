package storage

import "time"

// S3Bounds are what tests make smaller than it is in life.
type S3Bounds struct {
	Stall        time.Duration
	Single, Part int64
	Page         int
}

// Bound sets those that are not zero.
func (s *S3) Bound(b S3Bounds) {
	if b.Stall > 0 {
		s.stall = b.Stall
	}
	if b.Single > 0 {
		s.single, s.part = b.Single, b.Part
	}
	if b.Page > 0 {
		s.page = b.Page
	}
}
