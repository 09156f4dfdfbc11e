package main

import (
	"net/url"
	"regexp"
	"strings"
)

const hidden = "xxxxx"

// secretParameters are those whose names promise a secret.
var secretParameters = regexp.MustCompile(`(?i)([?&][^=&#]*(?:pass|pwd|secret|token|auth|key)[^=&#]*=)([^&#]*)`)

// redact hides what must not be shown of a store's URL: the password, and every
// parameter that sounds like one. It takes no URL apart that it need not, since
// the malformed ones are shown, too, and hides too much rather than too little.
func redact(text string) string {
	shown, _ := dissect(text)
	return shown
}

// dissect is redact, and gives what was hidden.
func dissect(text string) (shown string, secrets []string) {
	name, rest, ok := strings.Cut(text, ":")
	if !ok || name == "sqlite" || name == "memory" { // the rest is a path
		return text, nil
	}
	slashes := ""
	if strings.HasPrefix(rest, "//") {
		slashes, rest = "//", rest[2:]
	}
	// A password may hold anything, so the last @ ends it.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, password, ok := strings.Cut(rest[:at], ":")
		if ok && password != "" {
			secrets = append(secrets, password)
			user += ":" + hidden
		}
		rest = user + rest[at:]
	}
	rest = secretParameters.ReplaceAllStringFunc(rest, func(found string) string {
		key, value, _ := strings.Cut(found, "=")
		if value != "" {
			secrets = append(secrets, value)
		}
		return key + "=" + hidden
	})
	return name + ":" + slashes + rest, secrets
}

// scrub hides the secrets of a URL in a text that somebody else wrote, as they
// stand in the URL and as they are meant.
func scrub(text, of string) string {
	_, secrets := dissect(of)
	for _, s := range secrets {
		forms := []string{s}
		if plain, err := url.PathUnescape(s); err == nil {
			forms = append(forms, plain)
		}
		if plain, err := url.QueryUnescape(s); err == nil {
			forms = append(forms, plain)
		}
		for _, f := range forms {
			if f != hidden {
				text = strings.ReplaceAll(text, f, hidden)
			}
		}
	}
	return text
}
