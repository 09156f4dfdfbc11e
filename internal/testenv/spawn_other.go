//go:build !linux

package testenv

import "os/exec"

func spawn(cmd *exec.Cmd, _ bool) error { return cmd.Start() }

func reap(int) {}
