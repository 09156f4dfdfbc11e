package demo

import (
	"io/fs"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

func asset(t *testing.T, name string) string {
	t.Helper()
	b, err := fs.ReadFile(embedded, "assets/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The page obeys the Content-Security-Policy it is sent with: nothing written
// into it runs or styles, and nothing comes from elsewhere.
func TestAssetsAreSelfContained(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"inline script":          regexp.MustCompile(`(?i)<script(?:[^>]*[^/>])?>[^<]`),
		"inline style":           regexp.MustCompile(`(?i)<style|\sstyle=`),
		"event attribute":        regexp.MustCompile(`(?i)<[^>]*\son[a-z]+=`),
		"other origin":           regexp.MustCompile(`(?:https?:)?//[a-z0-9-]+\.[a-z]`),
		"text becoming markup":   regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function`),
		"import from elsewhere":  regexp.MustCompile(`@import|url\(`),
		"token within reach":     regexp.MustCompile(`localStorage|sessionStorage`),
		"a debugger's left-over": regexp.MustCompile(`debugger|console\.log`),
	}
	entries, err := fs.ReadDir(embedded, "assets")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text := strings.ReplaceAll(asset(t, e.Name()), "http://www.w3.org/", "")
		for what, pattern := range forbidden {
			if found := pattern.FindString(text); found != "" {
				t.Errorf("%s holds %s: %q", e.Name(), what, found)
			}
		}
	}
}

// Each file that a page or module names is served, with its type.
func TestAssetsAreServed(t *testing.T) {
	s := newSite(t, nil)
	named := map[string]bool{}
	for _, name := range []string{"index.html", "404.html"} {
		for _, m := range regexp.MustCompile(`/demo/assets/([\w.-]+)`).FindAllStringSubmatch(asset(t, name), -1) {
			named[m[1]] = true
		}
	}
	for again := true; again; {
		again = false
		for name := range named {
			if path.Ext(name) != ".js" {
				continue
			}
			for _, m := range regexp.MustCompile(`from "\./([\w.-]+)"`).FindAllStringSubmatch(asset(t, name), -1) {
				again = again || !named[m[1]]
				named[m[1]] = true
			}
		}
	}
	entries, _ := fs.ReadDir(embedded, "assets")
	for _, e := range entries {
		if path.Ext(e.Name()) != ".html" && !named[e.Name()] {
			t.Errorf("nothing uses %s", e.Name())
		}
	}
	for name := range named {
		r := httptest.NewRequest("GET", "/demo/assets/"+name, nil)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 || w.Header().Get("Content-Type") != kinds[path.Ext(name)] || w.Body.Len() == 0 {
			t.Errorf("%s: %d, %q, %d bytes", name, w.Code, w.Header().Get("Content-Type"), w.Body.Len())
		}
		r.Header.Set("If-None-Match", w.Header().Get("ETag"))
		w = httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 304 {
			t.Errorf("%s again: %d, want 304", name, w.Code)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/demo/assets/index.html", nil))
	if w.Code != 404 {
		t.Errorf("the template itself is served: %d", w.Code)
	}
}

// Each id that a module looks up is in the page, and every id is there once.
func TestAssetsAgreeOnIDs(t *testing.T) {
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(asset(t, "index.html"), -1) {
		if ids[m[1]]++; ids[m[1]] > 1 {
			t.Errorf("id %s stands twice", m[1])
		}
	}
	entries, _ := fs.ReadDir(embedded, "assets")
	for _, e := range entries {
		if path.Ext(e.Name()) != ".js" {
			continue
		}
		for _, m := range regexp.MustCompile(`\$\("([^"]+)"\)`).FindAllStringSubmatch(asset(t, e.Name()), -1) {
			if ids[m[1]] == 0 {
				t.Errorf("%s looks for #%s, which the page lacks", e.Name(), m[1])
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?:labelledby|for|href)="#?([a-z][\w-]*)"`).FindAllStringSubmatch(asset(t, "index.html"), -1) {
		if ids[m[1]] == 0 && m[1] != "stylesheet" && m[1] != "icon" {
			t.Errorf("the page refers to #%s, which it lacks", m[1])
		}
	}
}
