package memcachestore

import (
	"bufio"
	"strings"
	"testing"
)

func FuzzReadStats(f *testing.F) {
	for _, text := range []string{"STAT version 1.6.18\r\nSTAT empty\r\nEND\r\n", "ERROR\r\n", "STAT a b\r\n", "END", "", strings.Repeat("STAT a b\n", 1001)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		answer, err := readStats(bufio.NewScanner(strings.NewReader(text)))
		if (answer == nil) == (err == nil) {
			t.Errorf("%v with error %v", answer, err)
		}
	})
}

func TestReadStats(t *testing.T) {
	for text, says := range map[string]string{
		"STAT version 1.6\r\nSTAT threads 4 and more\r\nEND\r\nSTAT": "",
		"ERROR\r\n":                        "does not know",
		"STAT a b\r\n":                     "ended the connection",
		strings.Repeat("STAT a b\n", 1001): "no end",
		strings.Repeat("x", 1<<17):         "too long",
	} {
		answer, err := readStats(bufio.NewScanner(strings.NewReader(text)))
		switch {
		case says == "" && (err != nil || answer["version"] != "1.6" || answer["threads"] != "4 and more"):
			t.Errorf("%v, %v", answer, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
			t.Errorf("%.20q: %v, expected %q", text, err, says)
		}
	}
}

// TestExamination shows what no server here can be made to say.
func TestExamination(t *testing.T) {
	var check, detail string
	var problem error
	x := examination{store: &Store{opt: Options{MaxItem: 1 << 20}}, report: func(c, d string, p error) { check, detail, problem = c, d, p }}
	for _, c := range []struct {
		examine        func()
		stats          map[string]string
		check, problem string
	}{
		{x.version, map[string]string{"version": "1.4.25"}, "version", "expected 1.6"},
		{x.version, map[string]string{"version": "2.0"}, "version", ""},
		{x.items, map[string]string{"store_too_large": "3"}, "items", "3 items were refused"},
		{x.memory, map[string]string{"store_no_memory": "3"}, "memory", "3 items found no memory"},
		{x.memory, map[string]string{"bytes": "80", "limit_maxbytes": "100"}, "memory", "soon evict"},
		{x.connections, map[string]string{"max_connections": "10", "curr_connections": "9"}, "connections", "larger -c"},
		{x.connections, map[string]string{"max_connections": "10", "rejected_connections": "1"}, "connections", "larger -c"},
	} {
		x.stats = c.stats
		c.examine()
		if check != c.check || detail == "" || (problem == nil) != (c.problem == "") || problem != nil && !strings.Contains(problem.Error(), c.problem) {
			t.Errorf("%v: %s: %s, %v, expected %s and %q", c.stats, check, detail, problem, c.check, c.problem)
		}
	}
}
