package faulty

import (
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Rule names the fate of a call.
type Rule func(Call) Fate

// First takes the first fate that is not Pass.
func First(rules ...Rule) Rule {
	return func(c Call) Fate {
		for _, rule := range rules {
			if fate := rule(c); fate != Pass {
				return fate
			}
		}
		return Pass
	}
}

// Every gives each call of the step that fate.
func Every(step Step, fate Fate) Rule {
	return func(c Call) Fate {
		if c.Step == step {
			return fate
		}
		return Pass
	}
}

// Nth gives the step's calls with these numbers, counted from 1 since New, that fate.
func Nth(step Step, fate Fate, numbers ...int) Rule {
	return func(c Call) Fate {
		if c.Step == step && slices.Contains(numbers, c.Number) {
			return fate
		}
		return Pass
	}
}

// Holding gives an append that fate if one of its entries fits.
func Holding(fate Fate, fits func(storage.Entry) bool) Rule {
	return func(c Call) Fate {
		if c.Step == Append && slices.ContainsFunc(c.Entries, fits) {
			return fate
		}
		return Pass
	}
}

// Times lets a rule act that many times; then everything passes.
func Times(times int, rule Rule) Rule {
	var mu sync.Mutex
	return func(c Call) Fate {
		mu.Lock()
		defer mu.Unlock()
		if times <= 0 {
			return Pass
		}
		fate := rule(c)
		if fate != Pass {
			times--
		}
		return fate
	}
}

// Random gives a share (0 to 1) of the calls of these steps (none: all) one of the fates, drawn from the seed.
func Random(seed uint64, share float64, fates []Fate, steps ...Step) Rule {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	return func(c Call) Fate {
		if len(steps) > 0 && !slices.Contains(steps, c.Step) {
			return Pass
		}
		mu.Lock()
		defer mu.Unlock()
		if random.Float64() >= share {
			return Pass
		}
		return fates[random.IntN(len(fates))]
	}
}
