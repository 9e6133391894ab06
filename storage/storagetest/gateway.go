package storagetest

import "testing"

// Gateway is the S3 server's program, for tests that start it in their own way.
func Gateway(t testing.TB) string {
	t.Helper()
	tool, err := gateway()
	if err != nil {
		t.Fatal(err)
	}
	return tool
}
