package main

// A Control is an item of a standard, in our words, and what answers it: tests
// of ours, the application's own doing, or both.
type Control struct {
	ID    string
	What  string
	Tests []string // as in ". TestP1LogoutIsFinal"
	App   string   // what is the application's, or the operator's
}

// A Standard is a list of items that must be whole.
type Standard struct {
	Title, Source string
	Items         []string // all IDs, in order
	Controls      []Control
}

var standards = []Standard{
	{
		Title:  "OWASP ASVS 5.0, V7 Session Management",
		Source: "https://owasp.org/www-project-application-security-verification-standard/",
		Items:  []string{"7.1.1", "7.1.2", "7.1.3", "7.2.1", "7.2.2", "7.2.3", "7.2.4", "7.3.1", "7.3.2", "7.4.1", "7.4.2", "7.4.3", "7.4.4", "7.4.5", "7.5.1", "7.5.2", "7.5.3", "7.6.1", "7.6.2"},
		Controls: []Control{
			{"7.1.1", "timeouts are written down, and why they differ from NIST's", []string{". TestOptionsDefaults", ". TestPresetsOfAAL", "cmd/sojourn TestServeAAL"},
				"which timeouts suit it: Policy and AAL hold them, this page gives the defaults"},
			{"7.1.2", "how many sessions an account may have, and what follows", []string{". TestMaxSessionsParallelLogins", ". TestMaxSessionsEvictsTheOldest", ". TestMaxSessionsAsks"},
				"the number: Options.MaxSessions is off by default"},
			{"7.1.3", "systems of a federation are written down", nil, "it is the relying party: Sojourn knows of no identity provider"},
			{"7.2.1", "tokens are verified by the server only", []string{". TestP4NoIDIsAdopted", "webapi TestDefaultDeny", "browser/test/http.test.ts an answer that is not Sojourn's says nothing about the session (P9)"}, ""},
			{"7.2.2", "tokens are made for each session", []string{". TestIncidentTokensAreRandom"}, ""},
			{"7.2.3", "tokens are unique, random, of 128 bits at least (ours: 160, besides an ID of 128)", []string{". TestIncidentTokensAreRandom", ". TestFaceNoWeakRandomness"}, ""},
			{"7.2.4", "logging in, or again, makes a new token and ends the old one", []string{". TestIncidentEveryEntranceChangesTheToken", ". TestP4FixationGainsNothing", ". TestStepUpResetsBothClocks"}, "that it calls Login and Elevate"},
			{"7.3.1", "an idle timeout", []string{". TestP7TwoClocks", ". TestP8IdleMeansIdle"}, ""},
			{"7.3.2", "an absolute timeout", []string{". TestP7TwoClocks", ". TestP7PolicyPerSession"}, ""},
			{"7.4.1", "logout and expiry end a session for good", []string{". TestP1LogoutIsFinal", ". TestP1LogoutIsFinalForSlowRequests", "webapi TestP1LogoutIsFinal", "store/memstore TestLinearizable", ". TestCacheHeaders"}, ""},
			{"7.4.2", "a disabled account's sessions end", []string{". TestP13EveryonesDevices", ". TestP13RevokeAllKillsARacingLogin", "live TestP11RevokedIsFelt"}, "that it calls RevokeOwner"},
			{"7.4.3", "other sessions can be ended when a factor changes", []string{". TestP13RevokeOthersWhileOthersWrite", "webapi TestLogoutScopes"}, "that it offers this, or does it"},
			{"7.4.4", "logout can be seen on every page", []string{"webapi TestLogoutScopes", "browser/test/session.test.ts scopes of a logout"}, "its pages: the demo page shows one way"},
			{"7.4.5", "administrators end sessions of a user, or of all", []string{"cmd/sojourn TestSessions"}, ""},
			{"7.5.1", "logging in again before an account's data change", []string{". TestStepUpRefusesAndLetsIn", ". TestStepUpRecentAuthByTheClock"}, "which handlers ask: Manager.Require wraps them"},
			{"7.5.2", "users see their sessions and end them", []string{". TestP13EveryonesDevices", ". TestIncidentNobodyEndsAnothers", "webapi TestP13Devices"}, "asking for credentials before: RequireRecentAuth"},
			{"7.5.3", "another check before what is highly sensitive", []string{". TestStepUpLevelsWearOff", ". TestStepUpRefusesAndLetsIn"}, "which operations are"},
			{"7.6.1", "a federation's sessions live and end as written down", []string{". TestP7PolicyPerSession"}, "the identity provider's sign-outs: it calls RevokeOwner or Revoke when told"},
			{"7.6.2", "no session of a user without that user's doing", []string{". TestP10NothingForNobody", ". TestLimitCookielessRequestsMakeNoRecords", "server TestCrossSiteLoginIsRefused"}, "that it calls Login on such an action only"},
		},
	},
	{
		Title:  "OWASP ASVS 5.0, V3.3 Cookie Setup",
		Source: "https://owasp.org/www-project-application-security-verification-standard/",
		Items:  []string{"3.3.1", "3.3.2", "3.3.3", "3.3.4", "3.3.5"},
		Controls: []Control{
			{"3.3.1", "Secure, and a prefix that says so", []string{". TestCookieGolden", ". TestCookieRefusals"}, ""},
			{"3.3.2", "SameSite, always named", []string{". TestCookieGolden", ". TestCookieCombinations"}, ""},
			{"3.3.3", "__Host- unless it is shared", []string{". TestCookieGolden", ". TestOptionsDefaults"}, ""},
			{"3.3.4", "HttpOnly, and the value in Set-Cookie only", []string{". TestCookieGolden", "internal/proof/canary TestCanary", ". TestRedactCanary"}, ""},
			{"3.3.5", "name and value together of 4096 bytes at most", []string{". TestCookieRefusesWhatBrowsersIgnore", "store/cookiestore TestTooLarge"}, ""},
		},
	},
	{
		Title:  "NIST SP 800-63B-4, section 5, and its timeouts",
		Source: "https://pages.nist.gov/800-63-4/sp800-63b.html",
		Items: []string{"5.1 secret", "5.1 continuity", "5.1 restart", "5.1 remember", "5.1 AAL", "5.1 (1)", "5.1 (2)", "5.1 (3)", "5.1 (4)", "5.1 (5)", "5.1 (6)", "5.1 erased", "5.1 storage", "5.1 transport", "5.1 forms", "5.1 logout",
			"5.1.1 (1)", "5.1.1 (2)", "5.1.1 (3)", "5.1.1 (4)", "5.1.1 (5)", "5.1.1 (6)", "5.1.1 (7)", "5.1.2", "5.2 ends", "5.2 activity", "5.2 again", "5.2 limits", "5.2 federation", "5.3", "2.1.3", "2.2.3", "2.3.3"},
		Controls: []Control{
			{"5.1 secret", "both ends share a secret, which the client presents itself", []string{". TestP4NoIDIsAdopted", "bind/dbsc TestBinding"}, ""},
			{"5.1 continuity", "a session goes on by holding that secret, which may be refreshed", []string{". TestP5RotationLogsNobodyOut", ". TestTheftEndsTheSessionForBoth"}, ""},
			{"5.1 restart", "the secret does not outlive the browser, unless the user wants it", []string{". TestCookieGolden", "examples/login TestRememberOutlivesTheBrowser"}, "whether it offers to remember"},
			{"5.1 remember", "a remembered browser is no authentication", []string{". TestStepUpLevelsWearOff"}, "that it asks for levels where they matter"},
			{"5.1 AAL", "never a higher level than the authentication had", []string{". TestStepUpRefusesAndLetsIn", ". TestStepUpInvalid"}, "the level it gives to Elevate"},
			{"5.1 (1)", "the secret is made when the user authenticates", []string{". TestIncidentEveryEntranceChangesTheToken"}, ""},
			{"5.1 (2)", "it is random, of 64 bits at least", []string{". TestIncidentTokensAreRandom", ". TestFaceNoWeakRandomness"}, ""},
			{"5.1 (3)", "it is invalid after logout", []string{". TestP1LogoutIsFinal"}, ""},
			{"5.1 (4)", "it travels by a protected channel", []string{". TestCookieRefusals", "cmd/sojourn TestServeTLS"}, "TLS in front of it"},
			{"5.1 (5)", "it times out as its level asks", []string{". TestPresetsOfAAL", ". TestAAL", ". TestP7TwoClocks"}, ""},
			{"5.1 (6)", "nobody between the ends sees it", []string{". TestCacheHeaders", ". TestIncidentEveryReadVaries", "internal/proof/canary TestCanary"}, "that its proxies write no cookies to their logs"},
			{"5.1 erased", "the client's copy is erased at logout", []string{"webapi TestClearSiteData", ". TestCookieCombinations"}, ""},
			{"5.1 storage", "it is not kept where scripts can read it", []string{". TestCookieGolden", "browser/test/http.test.ts requests are same-origin, uncached, and marked where unsafe"}, ""},
			{"5.1 transport", "no fall back to plain HTTP", []string{". TestCookieRefusals", ". TestProxyScheme"}, "redirects, and HSTS"},
			{"5.1 forms", "what is posted holds something of the session's that is verified", []string{". TestCSRFTokenIsVerified", ". TestCSRFTokenChangesAtLogin", ". TestOriginMatrix"}, "that its forms carry CSRFToken, where the letter of this item counts: the origin check needs none"},
			{"5.1 logout", "users can log out", []string{"webapi TestLogoutScopes"}, "where its pages show it"},
			{"5.1.1 (1)", "cookies for HTTPS only", []string{". TestCookieGolden"}, ""},
			{"5.1.1 (2)", "for as few hosts and paths as can be", []string{". TestCookieGolden", ". TestCookieRefusals"}, ""},
			{"5.1.1 (3)", "not for scripts", []string{". TestCookieGolden"}, ""},
			{"5.1.1 (4)", "they expire with the session, which does not rest on that", []string{". TestP7TwoClocks", ". TestCookieGolden"}, ""},
			{"5.1.1 (5)", "__Host- and Path=/", []string{". TestCookieGolden"}, ""},
			{"5.1.1 (6)", "SameSite is Lax or Strict", []string{". TestCookieGolden"}, "None only where it asks for it"},
			{"5.1.1 (7)", "nothing in them that means something", []string{". TestIncidentTokensAreRandom", "store/cookiestore TestNoServerState"}, "OwnerKey, if a hash of the user's name is too much"},
			{"5.1.2", "an access token is no sign of the user's presence", nil, "it holds no access tokens: what a service does with its own"},
			{"5.2 ends", "either timeout ends the session", []string{". TestP7TwoClocks"}, ""},
			{"5.2 activity", "activity moves the idle timeout, and that only", []string{". TestP8RealUseExtends", ". TestP8IdleMeansIdle"}, ""},
			{"5.2 again", "authenticating again resets both", []string{". TestStepUpResetsBothClocks"}, ""},
			{"5.2 limits", "the limits are written down", []string{". TestOptionsDefaults"}, "in its security plan"},
			{"5.2 federation", "the provider's session and this one end apart", nil, "it asks the provider for a fresh authentication where it needs one"},
			{"5.3", "sessions are watched for fraud", []string{". TestSignals", "bind/signals TestSigns", "bind/signals TestRoamingIsNoLogout", ". TestTheftPolicies"}, "what it watches, and its users' privacy: nothing is watched by default but replays"},
			{"2.1.3", "AAL1: again after 30 days at most", []string{". TestPresetsOfAAL", ". TestAAL"}, ""},
			{"2.2.3", "AAL2: again after 24 hours, or an hour idle", []string{". TestPresetsOfAAL", ". TestAAL"}, ""},
			{"2.3.3", "AAL3: again after 12 hours, or 15 minutes idle", []string{". TestPresetsOfAAL", ". TestAAL"}, ""},
		},
	},
	{
		Title:  "OWASP WSTG, Session Management Testing",
		Source: "https://owasp.org/www-project-web-security-testing-guide/",
		Items:  []string{"SESS-01", "SESS-02", "SESS-03", "SESS-04", "SESS-05", "SESS-06", "SESS-07", "SESS-08", "SESS-09", "SESS-10", "SESS-11"},
		Controls: []Control{
			{"SESS-01", "the scheme: tokens can be neither guessed nor made up", []string{". TestIncidentTokensAreRandom", ". TestIncidentChosenAndEndedIDs", ". FuzzToken"}, ""},
			{"SESS-02", "the attributes of cookies", []string{". TestCookieGolden", ". TestCookieRefusesWhatBrowsersIgnore"}, ""},
			{"SESS-03", "fixation", []string{". TestP4FixationGainsNothing", ". TestIncidentEveryEntranceChangesTheToken", ". TestCookieDuplicates"}, ""},
			{"SESS-04", "variables that show: URLs, caches, logs", []string{"internal/proof/canary TestCanary", ". TestCarrierReadsNothingElse", ". TestIncidentEveryReadVaries"}, ""},
			{"SESS-05", "forged requests", []string{". TestOriginMatrix", ". TestOriginOfUpgrades", ". TestCSRFTokenIsVerified", "server TestCrossSiteLoginIsRefused"}, ""},
			{"SESS-06", "logout", []string{". TestP1LogoutIsFinal", "webapi TestP1LogoutIsFinal", "store/cookiestore TestLogoutIsFinal"}, ""},
			{"SESS-07", "timeouts", []string{". TestP7TwoClocks", "store/cookiestore TestDeadlinesInsideTheSeal"}, ""},
			{"SESS-08", "puzzling: what one page set is not taken by another for something else", []string{". TestLoginAsAnotherUserStartsEmpty", ". TestWrongTypeIsAnErrorNeverAZero"}, "one name for one thing: keys have types"},
			{"SESS-09", "hijacking", []string{". TestTheftEndsTheSessionForBoth", "bind/dbsc TestTheft", "browser/test/dbsc.test.mjs a stolen session cookie is worth nothing elsewhere"}, "TLS everywhere"},
			{"SESS-10", "JSON Web Tokens", []string{"bind/dbsc TestProofKeys", "bind/dbsc FuzzProof"}, "no session is one: a device's proof is the only JWT here"},
			{"SESS-11", "sessions side by side", []string{". TestMaxSessionsParallelLogins", ". TestP13EveryonesDevices"}, "how many it allows"},
		},
	},
}
