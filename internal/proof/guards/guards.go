// Package guards takes one guard after another out of the code and shows that
// the test which is there for it fails:
//
//	scripts/guards            all of them, some minutes
//	scripts/guards 'Logout'   those whose name matches
//
// A guard is taken out by an overlay of the go command: no file is touched. The
// package's ordinary tests only check that the tables still fit the code and the
// tests that there are. docs/security.md is written from them, too.
package guards

// A Guard is one thing in the code that keeps something away.
type Guard struct {
	Name string // what fails without it
	File string // in the module
	Old  string // the guard, once in File
	New  string // without it
	Test string // package and test, as in ". TestP1LogoutIsFinal"
}

// All are the guards of the promises and against the incidents.
var All = []Guard{
	// P1, P13: what ends a session.
	{"P1 Logout reaches the store", "manager.go",
		"\terr := m.call(ctx, m.opt.CommitTimeout, true, func(ctx context.Context) error { return m.store.Revoke(ctx, r) })\n",
		"\tvar err error\n\t_ = r\n", ". TestP1LogoutIsFinal"},
	{"P1 Update of a dead record is refused", "store/memstore/memstore.go",
		"\tcase n.dead:\n\t\tn.fill(&current)\n\t\treturn current, errUpdateNotFound\n", "",
		"store/memstore TestLinearizable"},
	{"P1 Touch of a dead record does nothing", "store/memstore/memstore.go",
		"n := sh.node(sh.find(hash, r.ID)); n != nil && !n.dead {", "n := sh.node(sh.find(hash, r.ID)); n != nil {",
		"store/memstore TestConformance"},
	{"P1 Create over a tombstone is refused", "store/memstore/memstore.go",
		"\tif sh.find(hash, r.ID) != 0 {\n\t\tsh.mu.Unlock()\n\t\treturn errCreateExists\n",
		"\tif n := sh.node(sh.find(hash, r.ID)); n != nil && !n.dead {\n\t\tsh.mu.Unlock()\n\t\treturn errCreateExists\n",
		"store/memstore TestLinearizable"},
	{"P13 an older generation is dead", "session.go",
		"\tcase r.Owner != \"\" && r.Generation < r.OwnerGeneration:\n", "\tcase false:\n",
		". TestP13EveryonesDevices"},
	{"P13 Create stamps the generation of its moment", "store/memstore/memstore.go",
		"\tr.Version, r.Generation, r.OwnerGeneration = n.version, n.generation, n.generation\n",
		"\tn.generation = r.Generation\n\tr.Version, r.OwnerGeneration = n.version, n.generation\n",
		"store/memstore TestConformance"},
	{"only one's own device can be ended", "owner.go",
		"s.m.endOwn(ctx, id, owner, ReasonRevoked)", "s.m.revoke(ctx, id, owner, ReasonRevoked)",
		". TestIncidentNobodyEndsAnothers"},
	{"only one's own device is named, or given up", "maxsessions.go",
		"st.State != StateActive || st.Owner != owner ||", "st.State != StateActive ||",
		". TestLabelDevice"},
	{"logins of one user take turns", "promote.go",
		"\tif s.m.opt.MaxSessions > 0 && b.owner != \"\" {\n", "\tif false {\n",
		". TestMaxSessionsParallelLogins"},
	{"the limit of sessions counts", "maxsessions.go",
		"\texcess := len(others) + 1 - m.opt.MaxSessions\n", "\texcess := min(0, len(others))\n",
		". TestMaxSessionsOfTwoProcesses"},

	// P2, P3: what is written.
	{"P2 Update compares versions", "store/memstore/memstore.go",
		"\tcase n.version != r.Version:\n\t\tn.fill(&current)\n\t\treturn current, errUpdateConflict\n", "",
		"store/memstore TestLinearizable"},
	{"P2 Take commits before it gives", "key.go",
		"\tif err == nil {\n\t\terr = s.commit(ctx)\n\t}\n\tif err != nil {\n\t\tvar none T\n\t\treturn none, false, fmt.Errorf(\"sojourn: take",
		"\tif err != nil {\n\t\tvar none T\n\t\treturn none, false, fmt.Errorf(\"sojourn: take",
		". TestIncidentSingleUse"},
	{"P3 a commit is known again", "commit.go",
		"\t\t\tif !first && c.s.room.nonce != 0 && d.head.hasNonce(c.s.room.nonce) {\n", "\t\t\tif false {\n",
		". TestP3ALostAnswerIsHarmless"},

	// P4: IDs and tokens.
	{"P4 a new session draws its own token", "promote.go",
		"\tb.token = s.m.newToken(owner)\n",
		"\tb.token = s.m.newToken(owner)\n\tif s.hasToken && s.presented != nil {\n\t\tb.token = Token{s.id, s.presented.hide()}\n\t}\n",
		". TestIncidentChosenAndEndedIDs"},
	{"P4 a login moves to a new ID", "promote.go",
		"\tcase s.base.Owner == \"\" || s.base.Owner == owner:\n\t\tb.inherit = true\n",
		"\tcase s.base.Owner == \"\" || s.base.Owner == owner:\n\t\ts.base.Owner = owner\n\t\treturn nil\n",
		". TestP4FixationGainsNothing"},
	{"P4 the secret counts, not the ID alone", "session.go",
		"\tcase standsNot, standsReplaced:\n\t\ts.state, s.barred", "\tcase standsReplaced:\n\t\ts.state, s.barred",
		". TestIncidentChosenAndEndedIDs"},
	{"step-up replaces the secret", "stepup.go",
		"\t\tif err := s.replaceSecret(); err != nil {\n\t\t\treturn err\n\t\t}\n", "",
		". TestIncidentEveryEntranceChangesTheToken"},
	{"another user's login inherits nothing", "promote.go",
		"\tdefault:\n\t\tb.replaced = true\n\t\ts.blank()\n", "\tdefault:\n\t\tb.replaced = true\n\t\tb.inherit = true\n",
		". TestLoginAsAnotherUserStartsEmpty"},
	{"several cookies of the name count as none", "carrier.go",
		"\t\tif n > 1 {\n", "\t\tif false {\n", ". TestCookieDuplicates"},
	{"names of cookies are compared as they stand", "cookie.go",
		"\t\t\tif len(pair) <= len(c.Name) ||", "\t\t\tpair = strings.ReplaceAll(pair, \"%5F\", \"_\")\n\t\t\tif len(pair) <= len(c.Name) ||",
		". TestIncidentNamesAreNotDecoded"},
	{"tokens are random", "token.go",
		"\trand.Read(t.random[:])", "\trand.Read(t.random[:idBytes])",
		". TestIncidentTokensAreRandom"},

	// P5: rotation and theft.
	{"P5 the secret before is good for the grace", "rotate.go",
		"\t\tif now < h.prevUntil {\n\t\t\treturn standsPrevious\n\t\t}\n", "",
		". TestP5RotationLogsNobodyOut"},
	{"P5 a retired secret is known again", "rotate.go",
		"\t\tif bytes.Equal(b[:8], presented[:8]) {\n", "\t\tif false {\n",
		". TestP5AStaleSecretIsReported"},
	{"P5 a replay ends the session", "theft.go",
		"\ts.m.react(ctx, s.m.opt.OnReplay, &s.base, ReasonReplayed)\n", "\t_ = ctx\n",
		". TestTheftEndsTheSessionForBoth"},

	{"requests under way at a hard replacement end nothing", "theft.go",
		"\tif at < h.rotated+p.Grace.Milliseconds() {\n", "\tif at < h.rotated+p.Grace.Milliseconds() && false {\n",
		". TestTheftSparesRequestsUnderWay"},
	{"slow uploads are judged by their arrival", "theft.go",
		"\t\treturn min(now, s.req.arrived)\n", "\t\treturn now\n",
		". TestTheftSparesSlowUploads"},
	{"a signal may ask for a step-up", "theft.go",
		"\t\t\td.head.doubt()\n", "\t\t\t_ = d\n",
		". TestSignalsStepUpNeedsElevate"},

	// P6: secrets stay secret.
	{"P6 the record holds a hash", "token.go",
		"\tsum := digest(sha256.Sum256(s[:]))\n\treturn &sum\n", "\tvar sum digest\n\tcopy(sum[:], s[:])\n\treturn &sum\n",
		". TestP6TheStoreNeverLearnsAToken"},
	{"P6 a token prints its ID only", "token.go",
		"return string(t.id) + \"…\"", "return t.Reveal()", ". TestRedactFormat"},
	{"P6 a refused token is not quoted", "token.go",
		"fmt.Errorf(\"%w: token: expected %d characters of base64url\", ErrInvalid, tokenChars)",
		"fmt.Errorf(\"%w: token %q: expected %d characters of base64url\", ErrInvalid, s, tokenChars)",
		". TestRedactErrors"},
	{"P6 sealed records are bound to their owner", "seal/sealer.go",
		"\tfor _, one := range bind {\n\t\tb = appendText(b, one)\n\t}\n", "",
		"seal TestRecordsCannotBeSwapped"},
	{"P6 what does not open is nothing", "seal/sealer.go",
		"\tif err != nil {\n\t\treturn nil, ErrForged\n\t}\n", "\tif err != nil {\n\t\treturn sealed[headBytes:], nil\n\t}\n",
		"seal TestTamperingOfEveryBit"},
	{"published keys are refused", "seal/weak.go",
		"\tcase published(b):\n", "\tcase false:\n", "seal TestWeakKeysAreRefused"},
	{"a cookie's record is bound to its session", "store/cookiestore/keyring.go",
		"\treturn append(b, id...)\n", "\treturn b\n", "store/cookiestore TestRecordsCannotBeSwapped"},

	// P7, P8: clocks.
	{"P7 dead at the deadline", "session.go",
		"\tcase now >= r.Expires.UnixMilli() || now >= h.absolute:\n", "\tcase now > r.Expires.UnixMilli() || now >= h.absolute:\n",
		". TestP7TwoClocks"},
	{"P7 the absolute deadline counts", "session.go",
		"\tcase now >= r.Expires.UnixMilli() || now >= h.absolute:\n", "\tcase now >= r.Expires.UnixMilli():\n",
		". TestP7TwoClocks"},
	{"P7 a sealed cookie has its age inside", "session.go",
		"\tcase now >= r.Expires.UnixMilli() || now >= h.absolute:\n", "\tcase false:\n",
		"store/cookiestore TestDeadlinesInsideTheSeal"},
	{"P8 asking extends nothing", "response.go",
		"\tif s.touched || s.passive ||", "\tif s.touched ||", ". TestP8IdleMeansIdle"},
	{"step-up asks for the age of the login", "stepup.go",
		"\tif st.Level < max(level, 1) || maxAge > 0 && age >= maxAge {\n", "\tif st.Level < max(level, 1) {\n",
		". TestStepUpRecentAuthByTheClock"},

	{"levels wear off", "stepup.go",
		"now-h.auth >= AAL(level).Absolute.Milliseconds()", "now < 0",
		". TestStepUpLevelsWearOff"},
	{"presets hold against longer timeouts", "policy.go",
		"\tcase p.AAL > 0 && p.Absolute > AAL(p.AAL).Absolute:\n", "\tcase false:\n",
		". TestPresetsOfAAL"},

	// P9, P10: outages and nobody.
	{"P9 an outage is no verdict", "session.go",
		"\tcase err != nil:\n\t\ts.failed = err\n\t\treturn err\n\t}\n\ts.base = rec\n",
		"\tcase err != nil:\n\t\ts.loaded, s.state = true, StateNone\n\t\treturn nil\n\t}\n\ts.base = rec\n",
		". TestP9AnOutageIsNotALogout"},
	{"P10 nobody gets no record", "response.go",
		"\tif err := s.commit(s.ctx); err != nil {\n\t\treturn err\n\t}\n\ts.touch() // first",
		"\tif s.state == StateNone {\n\t\t_ = s.begin(\"\")\n\t}\n\tif err := s.commit(s.ctx); err != nil {\n\t\treturn err\n\t}\n\ts.touch() // first",
		". TestLimitCookielessRequestsMakeNoRecords"},
	{"cookies beyond the limit are refused", "carrier.go",
		"\tif size > m.opt.MaxHeader {\n", "\tif size < 0 {\n", ". TestLimitCookieBomb"},
	{"a source begins so many sessions", "limit.go",
		"\tif l == nil || s.req == nil || s.state == StateActive {\n", "\tif l != nil {\n",
		". TestLimitOfCreations"},
	{"a source that guesses does not reach the store", "limit.go",
		"\tif l == nil || s.req == nil || s.m.proven.has(s) {\n", "\tif l != nil {\n",
		". TestLimitOfMisses"},
	{"limits remember so many sources", "limit.go",
		"\tif !known && len(l.until) >= maxSources {\n", "\tif false {\n\t\t_ = known\n",
		". TestLimitMemory"},
	{"a scope serves one request", "handler.go",
		"\tif c.next++; c.next < len(c.scopes) {\n\t\tslabs.Put(c)\n\t}\n", "\tc.next = (c.next + 1) % len(c.scopes)\n\tslabs.Put(c)\n",
		". TestIncidentNobodySeesAnother"},
	{"answers vary by the cookie", "response.go",
		"\t\th[\"Vary\"] = varyCookieOnly\n", "", ". TestIncidentEveryReadVaries"},
	{"answers with a cookie are not stored", "response.go",
		"\t\treturn\n\t}\n\th[\"Cache-Control\"] = noStore\n\tif sc.byHeader() {", "\t\treturn\n\t}\n\tif sc.byHeader() {",
		". TestCacheHeaders"},

	// P11, P12: what the browser is told.
	{"P11 an end reaches open connections", "live/observe.go",
		"t.ended, t.reason = true, e.Reason })", "t.ended, t.reason = false, e.Reason })", "live TestP11RevokedIsFelt"},

	// Other sites.
	{"unsafe requests of other sites are refused", "origin.go",
		"\t\tif err := m.cross.Check(r); err != nil {\n", "\t\tif err := m.cross.Check(r); err != nil && r == nil {\n",
		". TestOriginMatrix"},
	{"upgrades of other origins are refused", "origin.go",
		"\t\treturn m.sameOrigin(r)\n", "\t\treturn nil\n", ". TestOriginOfUpgrades"},
	{"a key that is no plain name is no file", "format/filekeeper/filekeeper.go",
		"|| strings.Trim(id, \"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ,-\") != \"\" {", "|| strings.Trim(id, \"\") == \"\" {",
		"format/filekeeper TestLeavesTheFolderAlone"},
	{"a plain http page is not of our origin", "origin.go",
		"\t\treturn m.sameScheme(r)\n", "\t\treturn nil\n", ". TestOriginMatrix"},
	{"a token for forms is verified", "csrf.go",
		"\tif subtle.ConstantTimeCompare(got[:], s.draft.head.form[:]) != 1 {\n", "\tif false {\n", ". TestCSRFTokenIsVerified"},
	{"a new secret takes a new token for forms", "rotate.go",
		"\th.setForm(nil)\n", "", ". TestCSRFTokenChangesAtLogin"},
	{"a login makes a new token for forms", "promote.go",
		"\th.setForm(b.form)\n", "\tif b.form != nil {\n\t\th.setForm(b.form)\n\t}\n", ". TestCSRFTokenChangesAtLogin"},
	{"forwarded addresses count from trusted proxies", "proxy.go",
		"\tif len(sc.m.opt.TrustedProxies) == 0 || !sc.m.trusts(ip) {\n", "\tif false {\n", ". TestProxyClientIP"},
	{"cookies that browsers drop are refused", "cookie.go",
		"\tcase secure && c.Insecure:\n", "\tcase false:\n", ". TestCookieRefusals"},
	{"pages see named members only", "webapi/visibility.go",
		"\tif _, ok := n.exact[key]; ok {\n\t\treturn true\n\t}\n", "\treturn true\n", "webapi TestDefaultDeny"},

	// Device binding.
	{"a bound session wants proof", "bind/dbsc/guard.go",
		"\treturn fmt.Errorf(\"%w: %s\", ErrUnproven, why)\n", "\treturn nil\n", "bind/dbsc TestTheft"},
	{"a later proof brings no key", "bind/dbsc/proof.go",
		"\tcase h.JSONWebKey != nil:\n\t\treturn nil,", "\tcase h.JSONWebKey != nil && false:\n\t\treturn nil,", "bind/dbsc TestProofKeys"},
}
