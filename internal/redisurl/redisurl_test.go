package redisurl

import (
	"reflect"
	"testing"
)

func TestURLs(t *testing.T) {
	for url, want := range map[string]Target{
		"redis://localhost":                 {Topology: Single, Addrs: []string{"localhost:6379"}},
		"REDIS://localhost":                 {Topology: Single, Addrs: []string{"localhost:6379"}},
		"redis://localhost:7000/":           {Topology: Single, Addrs: []string{"localhost:7000"}},
		"redis://localhost/3":               {Topology: Single, Addrs: []string{"localhost:6379"}, DB: 3},
		"redis://localhost?db=2&prefix=a:":  {Topology: Single, Addrs: []string{"localhost:6379"}, DB: 2, Prefix: "a:"},
		"redis://:pw@h":                     {Topology: Single, Addrs: []string{"h:6379"}, Password: "pw"},
		"redis://u:p%40%3A%2F%23@h:1":       {Topology: Single, Addrs: []string{"h:1"}, User: "u", Password: "p@:/#"},
		"rediss://h":                        {Topology: Single, TLS: true, Addrs: []string{"h:6379"}},
		"redis://[::1]:7000":                {Topology: Single, Addrs: []string{"[::1]:7000"}},
		"redis://[::1]":                     {Topology: Single, Addrs: []string{"[::1]:6379"}},
		"redis+cluster://a:1,b:2,c":         {Topology: Cluster, Addrs: []string{"a:1", "b:2", "c:6379"}},
		"rediss+cluster://u:p@a:1,b:2?db=0": {Topology: Cluster, TLS: true, Addrs: []string{"a:1", "b:2"}, User: "u", Password: "p"},
		"redis+sentinel://a,b:2/main?db=1":  {Topology: Sentinel, Addrs: []string{"a:26379", "b:2"}, Master: "main", DB: 1},
		"redis+sentinel://u:p@a/m?sentinel-user=su&sentinel-password=sp": {Topology: Sentinel, Addrs: []string{"a:26379"},
			Master: "m", User: "u", Password: "p", SentinelUser: "su", SentinelPassword: "sp"},
	} {
		got, err := Parse(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, expected %+v", url, got, want)
		}
	}
}

func FuzzURL(f *testing.F) {
	f.Add("redis://u:s3cret@h:1/2?db=1&prefix=x")
	f.Add("redis+sentinel://a,b:2/main?sentinel-password=p")
	f.Add("rediss+cluster://[::1]:1,b")
	f.Fuzz(func(t *testing.T, url string) {
		got, err := Parse(url)
		if err == nil && len(got.Addrs) == 0 {
			t.Error("no address")
		}
	})
}
