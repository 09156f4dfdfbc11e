// Package device names devices for people, after what their user agents claim:
//
//	api, err := webapi.New(m, &webapi.Options{AllowDevices: true, DeviceName: device.Name})
//
// Caveats. A user agent is text that a client chose. A name is for a list that
// its owner reads, never for a decision. Browsers freeze versions and models
// (Chrome says "Windows 10" on 11, "K" for any Android phone), so names leave
// them out.
package device

import (
	"strings"
	"unicode"

	"github.com/mileusna/useragent"
)

// Name is a browser and a system, "Firefox on Linux", or a program, "curl", and
// the empty text where neither can be told. It has at most 60 printable
// characters.
func Name(userAgent string) string {
	browser, system := read(userAgent)
	switch {
	case browser == "":
		return system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// read tells the names of a browser or program and of a system, each "" where it
// cannot be told.
func read(userAgent string) (browser, system string) {
	if len(userAgent) > maxRead {
		userAgent = userAgent[:maxRead]
	}
	ua := useragent.Parse(userAgent)
	browser, system = ua.Name, ua.OS
	switch ua.Device {
	case "iPhone", "iPad": // which people know better than iOS
		system = ua.Device
	}
	if browser == ua.String { // nothing was recognised
		browser = ""
	}
	return tidy(browser), tidy(system)
}

const (
	maxRead = 512 // bytes; the rest of a longer one is not looked at
	maxName = 28  // characters of each half
)

// tidy bounds what an unknown client calls itself.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName-1]) + "…"
	}
	return strings.TrimSpace(s)
}
