package testcard

import "testing"

// TestNumbersAreStable: sandbox intent ids carry these numbers, so none may ever change its meaning.
func TestNumbersAreStable(t *testing.T) {
	for method, number := range map[string]uint8{
		"pm_card_visa": 1, "pm_card_de": 1, "pm_card_createDispute": 2, "pm_card_createDisputeProductNotReceived": 3,
		"pm_card_authenticationRequired":                                10,
		"pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": 11,
		"pm_card_threeDSecureRequiredChargeDeclined":                    12,
		"pm_card_threeDSecureRequiredProcessingError":                   13, "pm_card_chargeDeclined": 20,
		"pm_card_chargeDeclinedInsufficientFunds": 21, "pm_card_chargeDeclinedLostCard": 22,
		"pm_card_chargeDeclinedStolenCard": 23, "pm_card_chargeDeclinedExpiredCard": 24,
		"pm_card_chargeDeclinedIncorrectCvc": 25, "pm_card_chargeDeclinedProcessingError": 26,
		"pm_card_chargeDeclinedVelocityLimitExceeded": 27, "pm_card_radarBlock": 28,
	} {
		card, ok := ByMethod(method)
		if !ok || card.Number != number {
			t.Errorf("%s: want number %d, got %d, %v", method, number, card.Number, ok)
		}
	}
	if got := Unauthenticated().Number; got != 40 {
		t.Errorf("unauthenticated: want number 40, got %d", got)
	}
}

func TestTableIsWhole(t *testing.T) {
	for number, card := range cards {
		if card.Number != number || card.Kind == 0 || (card.Kind == Declined) != (card.Code != "" && card.Kind != Challenged) ||
			(card.Code == "") != (card.Message == "") {
			t.Errorf("card %d: %+v", number, card)
		}
	}
	for name, number := range names {
		if _, ok := cards[number]; !ok {
			t.Errorf("%s names no card", name)
		}
	}
	for _, method := range []string{"", "pm_", "pm_card_", "pm_card_xx", "pm_card_nothing", "visa", "pm_1Nabc"} {
		if card, ok := ByMethod(method); ok {
			t.Errorf("%q is taken for card %+v", method, card)
		}
	}
}
