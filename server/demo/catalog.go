package demo

// A user is someone a visitor can log in as. There are no passwords: the demo
// is about what happens after one was checked.
type user struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	About string `json:"about"`
}

var users = []user{
	{"ada", "Ada", "writes programs for engines that do not exist yet"},
	{"grace", "Grace", "hands out nanoseconds by the foot of wire"},
	{"linus", "Linus", "has opinions about your patch"},
}

func userByID(id string) (user, bool) {
	for _, u := range users {
		if u.ID == id {
			return u, true
		}
	}
	return user{}, false
}

// A product is something to put into the cart. Price is in cents.
type product struct {
	ID, Name, Note string
	Price          int
}

var products = []product{
	{"map", "Folding map", "shows where you have been", 900},
	{"key", "Room key", "spare, returns itself at check-out", 450},
	{"tea", "Pot of tea", "stays warm for thirty minutes", 380},
	{"lamp", "Reading lamp", "switches itself off when idle", 2400},
}

func productExists(id string) bool {
	for _, p := range products {
		if p.ID == id {
			return true
		}
	}
	return false
}
