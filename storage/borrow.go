package storage

import (
	"context"
	"fmt"
	"time"
)

// Borrow leases one host to owner for ttl, whether there is something to do on it or not. It says whether it could: not while
// somebody else holds it, or while it is to be left alone, until when HostPause tells. It goes back as any lease, and comes
// free by itself as any.
func (db *DB) Borrow(ctx context.Context, host, owner string, ttl time.Duration) (l Lease, ok bool, err error) {
	host = foldKey(host)
	err = db.write(ctx, func(x *tx) error {
		l, ok = Lease{}, false
		if err := x.prepareHosts([]string{host}); err != nil {
			return err
		}
		now := db.nowMS()
		got, err := x.leases(`UPDATE hosts SET lease=$1, owner=$2, next_at=$3+delay_ms WHERE host=$4 AND (lease=0 OR next_at<=$5)
			AND polite_until<=$5 AND failing_until<=$5 RETURNING `+leaseCols, newToken(), owner, now+ttl.Milliseconds(), host, now)
		if err != nil || len(got) == 0 {
			x.wrote = false // nobody needs to know whether nothing was committed
			return err
		}
		l, ok = got[0], true
		return x.sign()
	})
	if err != nil {
		return Lease{}, false, fmt.Errorf("borrow host %s: %w", host, err)
	}
	return l, ok, nil
}
