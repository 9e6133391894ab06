package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/storage/storagetest"
)

// doctor runs 'linkstead doctor' with the environment alone.
func doctor(ctx context.Context, env []string, stdout *watching, args ...string) (code int, stderr string) {
	vars := map[string]string{}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	var said bytes.Buffer
	p := &program{
		args: append([]string{"doctor", "--big", "1MiB"}, args...), getenv: func(name string) string { return vars[name] },
		stdin: strings.NewReader(""), stdout: stdout, stderr: &said,
	}
	return p.run(ctx), said.String()
}

// watching is standard output that does something once a text is there.
type watching struct {
	bytes.Buffer
	text string
	do   func()
}

func (w *watching) Write(b []byte) (int, error) {
	if w.do != nil && strings.Contains(string(b), w.text) {
		w.do()
	}
	return w.Buffer.Write(b)
}

func TestDoctorOfServers(t *testing.T) {
	t.Parallel()
	s3, pg := storagetest.S3(t), storagetest.Postgres(t)
	bucket, dsn, spool := s3.NewBucket(t), pg.DSN(t), filepath.Join(t.TempDir(), "spool")
	args := []string{"--archive", "s3://" + bucket + "/a", "--db", dsn, "--spool", spool}
	var out watching
	code, stderr := doctor(t.Context(), s3.Env(), &out, append(args, "--json")...)
	var d diagnosis
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), stderr)
	}
	for _, f := range d.Findings {
		if want := f.Check != "durable" || f.Part != "rows"; f.OK != want { // the tests' PostgreSQL does not flush
			t.Errorf("%+v", f)
		}
	}
	if code != exitFailed || d.OK || len(d.Findings) != 21 {
		t.Errorf("code %d, ok %v, %d findings", code, d.OK, len(d.Findings))
	}
	if said := out.String() + stderr; strings.Contains(said, s3.SecretKey) || !strings.Contains(said, s3.Endpoint+", as "+s3.AccessKey+" (from AWS_ACCESS_KEY_ID)") {
		t.Errorf("it tells a secret, or not as whom it asked:\n%s", said)
	}

	// Ctrl-C in the middle: what was made goes.
	ctx, cancel := context.WithCancel(t.Context())
	out = watching{text: "list in order", do: cancel}
	if code, _ := doctor(ctx, s3.Env(), &out, args...); code != exitInterrupted || strings.Contains(out.String(), " delete ") {
		t.Errorf("interrupted: code %d\n%s", code, out.String())
	}
	left, err := os.ReadDir(filepath.Join(s3.Folder, bucket))
	for _, e := range left {
		if !strings.HasPrefix(e.Name(), ".") { // of the server itself
			t.Errorf("left in the bucket: %s", e.Name())
		}
	}
	if _, err := os.Stat(spool); err == nil {
		t.Error("the spool's folder is left")
	}
	if err != nil {
		t.Error(err)
	}

	// What is wrong with one place keeps nobody from looking at the others.
	out = watching{}
	code, _ = doctor(t.Context(), s3.Env(), &out, "--archive", "s3://no-such-bucket", "--db", "sqlite:"+filepath.Join(t.TempDir(), "x.db"), "--spool", spool)
	for _, want := range []string{"FAILED  blobs  connect", `bucket "no-such-bucket" does not exist`, "aws s3 mb", "ok      rows   durable", "Not all is well"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	if code != exitFailed {
		t.Errorf("code %d", code)
	}
}
