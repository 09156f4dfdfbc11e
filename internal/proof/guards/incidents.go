package guards

// An Incident is what happened to others, and what keeps it away here.
type Incident struct {
	Ref     string   // whose, by the number of the advisory
	What    string   // in few words
	Tests   []string // that it cannot happen here
	Guards  []string // of All, without which one of the tests fails
	NoGuard string   // why no guard can be taken out
}

// Incidents are advisories on session libraries and on what is built on sessions.
var Incidents = []Incident{
	{"Fiber CVE-2024-38513, aiohttp-session CVE-2018-1000519", "an ID that a client chose, or that had ended, became a session",
		[]string{". TestIncidentChosenAndEndedIDs", ". TestP4NoIDIsAdopted"}, []string{"P4 a new session draws its own token", "P1 Create over a tombstone is refused"}, ""},
	{"gorilla/sessions GO-2024-2730 (withdrawn), Django CVE-2011-0698", "an ID was used as the name of a file",
		[]string{"store/memstore TestConformance/IDsOfEveryShape", "store/sqlstore TestConformance/IDsOfEveryShape", "format/filekeeper TestLeavesTheFolderAlone"}, []string{"a key that is no plain name is no file"}, ""},
	{"Passport CVE-2022-25896, fastify-passport CVE-2023-29019, Symfony CVE-2023-46733 and CVE-2018-11385, Zitadel CVE-2024-28197, Pow CVE-2020-5205, Ghost CVE-2026-70594", "an ID known before the login was good after it",
		[]string{". TestIncidentEveryEntranceChangesTheToken", ". TestP4FixationGainsNothing"}, []string{"P4 a login moves to a new ID", "step-up replaces the secret"}, ""},
	{"fastify-passport GHSA-2ccf-ffrj-m4qw, Symfony CVE-2022-24895 and CVE-2018-11406", "a token for forms known before the login was good after it",
		[]string{". TestCSRFTokenChangesAtLogin", ". TestCSRFTokenIsVerified"}, []string{"a login makes a new token for forms"}, ""},
	{"Rack CVE-2025-46336 and CVE-2025-32441", "a slow request restored a session that had ended",
		[]string{". TestP1LogoutIsFinalForSlowRequests", "store/memstore TestLinearizable", "store/sqlstore TestLinearizable", "store/redisstore TestLinearizable", "store/memcachestore TestLinearizable", "store/sqlstore/postgres TestLinearizable", "store/sqlstore/mysql TestLinearizable"},
		[]string{"P1 Update of a dead record is refused"}, ""},
	{"fastify-secure-session CVE-2024-31999, aiohttp-session CVE-2018-1000814", "a session kept in its cookie never ended",
		[]string{"store/cookiestore TestDeadlinesInsideTheSeal", "store/cookiestore TestLogoutIsFinal"}, []string{"P7 a sealed cookie has its age inside"}, ""},
	{"OliveTin CVE-2026-30224, Spring Security CVE-2023-20862, oauth2-proxy CVE-2026-34454", "a logout left the session usable",
		[]string{". TestP1LogoutIsFinal", "webapi TestP1LogoutIsFinal", "store/cookiestore TestLogoutIsFinal", "store/memstore TestConformance/RevokeIsFinal", "store/sqlstore TestConformance/RevokeIsFinal", "store/redisstore TestConformance/RevokeIsFinal", "store/memcachestore TestConformance/RevokeIsFinal"},
		[]string{"P1 Logout reaches the store"}, ""},
	{"listmonk CVE-2026-34828, TYPO3-CORE-SA-2022-014, Symfony CVE-2021-41268", "other sessions lived on after a change of password",
		[]string{". TestP13EveryonesDevices", ". TestP13RevokeOthersWhileOthersWrite", ". TestP13RevokeAllKillsARacingLogin"}, []string{"P13 an older generation is dead"}, ""},
	{"Gitea CVE-2026-56750", "a stolen remember-me token was noticed, and the thief stayed",
		[]string{". TestTheftEndsTheSessionForBoth", ". TestTheftPolicies"}, []string{"P5 a replay ends the session", "P5 a retired secret is known again"}, ""},
	{"Mattermost CVE-2017-18878", "somebody ended sessions of others",
		[]string{". TestIncidentNobodyEndsAnothers", "webapi TestP13Devices"}, []string{"only one's own device can be ended"}, ""},
	{"Mattermost CVE-2024-4183", "a user could have any number of sessions",
		[]string{". TestMaxSessionsParallelLogins", ". TestMaxSessionsOfTwoProcesses"}, []string{"the limit of sessions counts"}, ""},
	{"Omni CVE-2026-45720", "a token for one use was used twice at once",
		[]string{". TestIncidentSingleUse", ". TestP2TakeGivesToOne"}, []string{"P2 Take commits before it gives"}, ""},
	{"FrankenPHP CVE-2026-24894 and CVE-2026-82416", "a request saw the data of the one before it",
		[]string{". TestIncidentNobodySeesAnother", ". TestParallelGoroutineOutlivesItsRequest"}, []string{"a scope serves one request"}, ""},
	{"Flask CVE-2023-30861 and CVE-2026-27205", "a cache gave one user's page to another",
		[]string{". TestIncidentEveryReadVaries", ". TestCacheHeaders", ". TestCacheHeadersAreNotShared"}, []string{"answers vary by the cookie", "answers with a cookie are not stored"}, ""},
	{"Rack CVE-2020-8184", "a name decoded into one with a prefix that browsers protect",
		[]string{". TestIncidentNamesAreNotDecoded"}, []string{"names of cookies are compared as they stand"}, ""},
	{"Django CVE-2015-5143 and CVE-2015-5963", "requests of nobody filled the store",
		[]string{". TestLimitCookielessRequestsMakeNoRecords", ". TestP10NothingForNobody", "server TestP10PageViewStoresNothing"}, []string{"P10 nobody gets no record"}, ""},
	{"Go CVE-2025-58186, Fiber CVE-2026-25899, zrok CVE-2026-40303", "a cookie made the server allocate",
		[]string{". TestIncidentClaimsAllocateNothing", ". TestLimitCookieBomb", ". TestLimitOfTheCookieHeader", ". TestPayloadTruncated"}, []string{"cookies beyond the limit are refused"}, ""},
	{"Fiber CVE-2025-66630, SFTPGo CVE-2024-52801", "IDs could be guessed",
		[]string{". TestIncidentTokensAreRandom", ". TestFaceNoWeakRandomness"}, []string{"tokens are random"}, ""},
	{"gorilla/csrf CVE-2025-24358 and CVE-2025-47909, Fiber CVE-2023-45128 and CVE-2023-45141", "a check against forged requests could be passed",
		[]string{". TestOriginMatrix", ". TestOriginTrusted", "server TestCrossSiteLoginIsRefused"}, []string{"unsafe requests of other sites are refused"}, ""},
	{"SysReptor GHSA-2vfc-3h43-vghh, Theia CVE-2020-14368, Gitpod 2023", "another origin opened a WebSocket in the user's name",
		[]string{". TestOriginOfUpgrades", ". TestOriginOfExtendedConnect", "live TestForeignOriginIsRefused"}, []string{"upgrades of other origins are refused"}, ""},
	{"Spring Session CVE-2023-20866", "what gives access was written to the log",
		[]string{"internal/proof/canary TestCanary", ". TestRedactCanary", ". TestRedactFormat", "audit TestP6NoTokenInTheAudit"}, []string{"P6 a token prints its ID only", "P6 a refused token is not quoted"}, ""},
	{"rails_multisite CVE-2021-41263", "one tenant's cookie was good for another",
		[]string{"store/cookiestore TestRecordsCannotBeSwapped", "seal TestRecordsCannotBeSwapped", "store/cookiestore TestPlantedRecords"}, []string{"a cookie's record is bound to the cookie's name", "P6 sealed records are bound to their owner"}, ""},
	{"Superset CVE-2023-27524, Zabbix CVE-2026-23933", "a key that everybody knows was in use",
		[]string{"seal TestWeakKeysAreRefused"}, []string{"published keys are refused"}, ""},
	{"Rack::Session CVE-2026-39324, Laravel and PHP CVE-2016-7125", "what could not be decrypted, or was made up, was decoded all the same",
		[]string{"seal TestTamperingOfEveryBit", "seal FuzzOpen", ". FuzzPayload", "store/cookiestore FuzzDecode", "store/cookiestore TestTampering"}, []string{"P6 what does not open is nothing"}, ""},
	{"Devise CVE-2026-40295", "after a timeout a page was sent to an address that somebody else chose",
		[]string{". TestErrorAnswers", "webapi TestStatusEnded"}, nil, "neither the server nor the SDK redirects: no answer of theirs has a Location that a client gave"},
	{"TYPO3-CORE-SA-2020-011 and 2021-006, nebula-mesh CVE-2026-53603", "whoever read the store could take over its sessions",
		[]string{". TestP6TheStoreNeverLearnsAToken", "seal TestP6SealedStoresHoldNoPlaintext"}, []string{"P6 the record holds a hash"}, ""},
}
