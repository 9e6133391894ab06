package main

import (
	"fmt"
	"time"

	"linkstead/archive/link"
	"linkstead/configs"
)

// linkRules are the settings of verdicts as archive/link has them.
func linkRules(v *configs.Verdicts) link.Rules {
	d := func(d configs.Duration) time.Duration { return time.Duration(d) }
	return link.Rules{
		Apart: d(v.Apart), Gone: v.Gone, Fast: v.GoneForGood, Slow: v.Failing, SlowSpan: d(v.FailingFor),
		Lapse: d(v.Lapse), Flaps: v.Flaps, FlapWindow: d(v.FlapWindow), MovedLooks: v.Moved,
		SoftSimilar: v.Soft404.Similar, SoftSame: v.Soft404.Same, SoftPaths: v.Soft404.Paths, SoftLooks: v.Soft404.Looks,
		UsurpedLooks: v.Usurped.Looks, UsurpedMismatch: v.Usurped.Mismatch,
		DriftDistance: v.Drifted.Distance, DriftWords: v.Drifted.Words, DriftLeast: v.Drifted.Least, DriftLooks: v.Drifted.Looks,
		Suspect: d(v.Next.Suspect), AliveMin: d(v.Next.AliveMin), AliveMax: d(v.Next.AliveMax),
		DeadMin: d(v.Next.DeadMin), DeadMax: d(v.Next.DeadMax), Excluded: d(v.Next.Excluded), Again: d(v.Next.Again),
		FirstLook: d(v.Next.First), Spread: v.Next.Spread, MaxWait: d(v.Next.RetryAfter),
	}
}

// parkingRules are the program's rules for parked domains, and those of a file.
func parkingRules(file string) (*link.ParkingRules, error) {
	if file == "" {
		return link.DefaultParking, nil
	}
	body, err := readFile(file)
	if err != nil {
		return nil, usageError{fmt.Errorf("the rules that verdicts.parking names can't be read: %w", err)}
	}
	own, err := link.ParseParking(string(body))
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", file, err)}
	}
	return link.DefaultParking.With(own), nil
}
