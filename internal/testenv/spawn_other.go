//go:build !linux

package testenv

import "os/exec"

func spawn(cmd *exec.Cmd) error { return cmd.Start() }
