package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// crashVar names a point (see storagetest.ParsePoint) at which the program under test dies as by kill -9.
const crashVar = "TEST_LINKSTEAD_CRASH"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"linkstead": testProgram})
}

// testProgram is main, on a file system that may crash.
func testProgram() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	p := &program{args: os.Args[1:], getenv: os.Getenv, vars: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	if s := os.Getenv(crashVar); s != "" {
		point, err := storagetest.ParsePoint(s)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitUsage)
		}
		p.fs = storagetest.NewCrashFS(storage.OS{}, point, storagetest.KillSelf)
	}
	if dir := os.Getenv(smallDiskVar); dir != "" {
		if err := smallDisk(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitUsage)
		}
	}
	code := p.run(ctx)
	if code == exitOK && os.Getenv(thenVerify) != "" {
		p.args = []string{"verify", "--archive", p.args[2], "--json"}
		code = p.run(ctx)
	}
	if dir := os.Getenv(thenList); dir != "" {
		names, _ := filepath.Glob(filepath.Join(dir, "*"))
		fmt.Fprintln(os.Stderr, names)
	}
	os.Exit(code)
}
