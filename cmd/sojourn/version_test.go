package main

import (
	"encoding/json"
	"runtime"
	"testing"
)

func TestVersion(t *testing.T) {
	runCommand(t, call{}, "version").want(t, 0, "sojourn 1.2.3-test", runtime.Version())
	runCommand(t, call{}, "--version").want(t, 0, "sojourn 1.2.3-test")

	r := runCommand(t, call{}, "version", "--json")
	r.want(t, 0)
	var v versionInfo
	if err := json.Unmarshal([]byte(r.out), &v); err != nil || v.Version != "1.2.3-test" || v.Go == "" || v.Platform == "" {
		t.Errorf("version --json: %+v, %v", v, err)
	}
}
