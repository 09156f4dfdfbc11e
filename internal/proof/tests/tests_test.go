package tests

import "testing"

func TestFind(t *testing.T) {
	found, err := Find("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, there := range map[string]bool{
		". TestP1LogoutIsFinal":                           true,
		"store/memstore TestConformance":                  true,
		"store/memstore TestConformance/RevokeIsFinal":    true,
		". FuzzToken":                                     true,
		"internal/proof/tests TestFind":                   true,
		". TestMain":                                      false,
		". TestNothingOfTheKind":                          false,
		"store TestConformance":                           false,
		"browser/test/emitter.test.ts no such test exist": false,
		"": false,
	} {
		if err := found.Missing(name); (err == nil) != there {
			t.Errorf("%q: %v", name, err)
		}
	}
	inBrowser := 0
	for name := range found {
		if name[:3] == "bro" {
			inBrowser++
		}
	}
	if inBrowser < 20 {
		t.Errorf("%d tests of the browser", inBrowser)
	}
}
