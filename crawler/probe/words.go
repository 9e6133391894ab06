package probe

import (
	"encoding/hex"
	"strconv"
)

func hexOf(sum [32]byte) string { return hex.EncodeToString(sum[:]) }

func plural(n int) string {
	if n == 1 {
		return "once"
	}
	return strconv.Itoa(n) + " times"
}
