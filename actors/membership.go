package actors

// Membership is what a host has to know about the cluster. Its answers may be out of date by a moment: the journal decides
// who writes. Safe for concurrent use.
type Membership interface {
	// Owns says whether this member is the one to look after the entity.
	Owns(kind, identity string) bool
	// Gone says whether the process that writes under that name is no longer a member.
	Gone(writer string) bool
	// Current says whether this member may act: what it begins is fenced, but it must not begin much after its end.
	Current() bool
	// Fresh says whether nobody can have taken over yet: what an entity here says without writing is true.
	Fresh() bool
}

// Alone is the membership of a member that has its store to itself.
type Alone struct{}

var _ Membership = Alone{}

// Owns everything.
func (Alone) Owns(string, string) bool { return true }

// Gone is every other one: they were earlier lives.
func (Alone) Gone(string) bool { return true }

// Current is always so.
func (Alone) Current() bool { return true }

// Fresh is always so.
func (Alone) Fresh() bool { return true }
