// Package testcard is the table of Stripe's documented test payment methods and of what the bank says to each. It
// promises stable numbers: a number that was given out is never used for another card, because sandbox intent ids carry
// them. Callers must not treat a method that is not in the table as a card.
package testcard

// Kind is what the bank does with an attempt.
type Kind uint8

const (
	Approved   Kind = iota + 1 // charged at once
	Declined                   // refused; Code, DeclineCode and Message say why
	Challenged                 // asks for 3-D Secure; afterwards charged or, where Code is set, refused
)

// Card is one behaviour of a test payment method.
type Card struct {
	Number      uint8 // stable, not 0
	Kind        Kind
	Code        string // Stripe's error code
	DeclineCode string // the bank's reason
	Message     string // for the buyer
	Dispute     string // reason of the dispute that follows the charge
}

// Reason is the most precise code there is: the bank's, else Stripe's.
func (c Card) Reason() string {
	if c.DeclineCode != "" {
		return c.DeclineCode
	}
	return c.Code
}

const prefix = "pm_card_"

// ByMethod returns the card behind a payment method id such as "pm_card_visa".
func ByMethod(method string) (Card, bool) {
	if len(method) <= len(prefix) || method[:len(prefix)] != prefix {
		return Card{}, false
	}
	name := method[len(prefix):]
	if len(name) == 2 {
		_, ok := countries[name]
		return cards[approved], ok
	}
	number, ok := names[name]
	return cards[number], ok
}

// ByNumber returns the card with that number.
func ByNumber(number uint8) (Card, bool) {
	card, ok := cards[number]
	return card, ok
}

const (
	approved             = 1
	disputedFraudulent   = 2
	disputedNotReceived  = 3
	challenged           = 10
	challengedNoFunds    = 11
	challengedDeclined   = 12
	challengedProcessing = 13
	declined             = 20
	declinedNoFunds      = 21
	declinedLost         = 22
	declinedStolen       = 23
	declinedExpired      = 24
	declinedCVC          = 25
	declinedProcessing   = 26
	declinedVelocity     = 27
	declinedFraudulent   = 28
	unauthenticated      = 40
	textUnauthenticated  = "We are unable to authenticate your payment method. " +
		"Please choose a different payment method and try again."
	textDeclined          = "Your card was declined."
	textNoFunds           = "Your card has insufficient funds."
	textExpired           = "Your card has expired."
	textCVC               = "Your card's security code is incorrect."
	textProcessing        = "An error occurred while processing your card. Try again in a little bit."
	textVelocity          = "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."
	codeDeclined          = "card_declined"
	codeInsufficientFunds = "insufficient_funds"
	codeProcessing        = "processing_error"
)

var cards = map[uint8]Card{
	approved:             {Number: approved, Kind: Approved},
	disputedFraudulent:   {Number: disputedFraudulent, Kind: Approved, Dispute: "fraudulent"},
	disputedNotReceived:  {Number: disputedNotReceived, Kind: Approved, Dispute: "product_not_received"},
	challenged:           {Number: challenged, Kind: Challenged},
	challengedNoFunds:    {challengedNoFunds, Challenged, codeDeclined, codeInsufficientFunds, textNoFunds, ""},
	challengedDeclined:   {challengedDeclined, Challenged, codeDeclined, "generic_decline", textDeclined, ""},
	challengedProcessing: {challengedProcessing, Challenged, codeProcessing, codeProcessing, textProcessing, ""},
	declined:             {declined, Declined, codeDeclined, "generic_decline", textDeclined, ""},
	declinedNoFunds:      {declinedNoFunds, Declined, codeDeclined, codeInsufficientFunds, textNoFunds, ""},
	declinedLost:         {declinedLost, Declined, codeDeclined, "lost_card", textDeclined, ""},
	declinedStolen:       {declinedStolen, Declined, codeDeclined, "stolen_card", textDeclined, ""},
	declinedExpired:      {declinedExpired, Declined, "expired_card", "expired_card", textExpired, ""},
	declinedCVC:          {declinedCVC, Declined, "incorrect_cvc", "incorrect_cvc", textCVC, ""},
	declinedProcessing:   {declinedProcessing, Declined, codeProcessing, codeProcessing, textProcessing, ""},
	declinedVelocity:     {declinedVelocity, Declined, codeDeclined, "card_velocity_exceeded", textVelocity, ""},
	declinedFraudulent:   {declinedFraudulent, Declined, codeDeclined, "fraudulent", textDeclined, ""},
	unauthenticated:      {unauthenticated, Declined, "payment_intent_authentication_failure", "", textUnauthenticated, ""},
}

var names = map[string]uint8{
	"visa": approved, "visa_debit": approved, "mastercard": approved, "mastercard_debit": approved,
	"mastercard_prepaid": approved, "amex": approved, "discover": approved, "diners": approved, "jcb": approved,
	"unionpay": approved, "bypassPending": approved, "bypassPendingInternational": approved, "domesticPricing": approved,
	"riskLevelElevated": approved, "avsFail": approved, "avsLine1Fail": approved, "avsZipFail": approved,
	"avsUnchecked": approved, "cvcCheckFail": approved, "threeDSecureOptional": approved,
	"amex_threeDSecureNotSupported": approved, "authenticationRequiredSetupForOffSession": approved,

	"createDispute": disputedFraudulent, "createDisputeProductNotReceived": disputedNotReceived,

	"authenticationRequired": challenged, "authenticationRequiredOnSetup": challenged,
	"threeDSecure2Required": challenged, "threeDSecureRequired": challenged,
	"authenticationRequiredChargeDeclinedInsufficientFunds": challengedNoFunds,
	"threeDSecureRequiredChargeDeclined":                    challengedDeclined,
	"threeDSecureRequiredProcessingError":                   challengedProcessing,

	"chargeDeclined": declined, "visa_chargeDeclined": declined, "chargeCustomerFail": declined,
	"chargeDeclinedInsufficientFunds": declinedNoFunds, "visa_chargeDeclinedInsufficientFunds": declinedNoFunds,
	"chargeDeclinedLostCard": declinedLost, "visa_chargeDeclinedLostCard": declinedLost,
	"chargeDeclinedStolenCard": declinedStolen, "visa_chargeDeclinedStolenCard": declinedStolen,
	"chargeDeclinedExpiredCard": declinedExpired, "visa_chargeDeclinedExpiredCard": declinedExpired,
	"chargeDeclinedIncorrectCvc": declinedCVC, "visa_chargeDeclinedIncorrectCvc": declinedCVC,
	"chargeDeclinedProcessingError": declinedProcessing, "visa_chargeDeclinedProcessingError": declinedProcessing,
	"chargeDeclinedVelocityLimitExceeded":      declinedVelocity,
	"visa_chargeDeclinedVelocityLimitExceeded": declinedVelocity,
	"chargeDeclinedFraudulent":                 declinedFraudulent, "visa_chargeDeclinedFraudulent": declinedFraudulent,
	"radarBlock": declinedFraudulent, "riskLevelHighest": declinedFraudulent,
}

// countries are the two-letter cards of Stripe's table of international cards, all approved.
var countries = set("us", "ar", "br", "ca", "cl", "co", "cr", "ec", "mx", "pa", "py", "pe", "uy", "ae", "at", "be", "bg",
	"by", "hr", "cy", "cz", "dk", "ee", "fi", "fr", "de", "gi", "gr", "hu", "ie", "it", "lv", "li", "lt", "lu", "mt", "nl",
	"no", "pl", "pt", "ro", "sa", "si", "sk", "es", "se", "ch", "gb", "au", "cn", "hk", "in", "jp", "my", "nz", "sg", "tw")

func set(names ...string) map[string]struct{} {
	m := make(map[string]struct{}, len(names))
	for _, name := range names {
		m[name] = struct{}{}
	}
	return m
}

// Unauthenticated is the card whose holder did not pass 3-D Secure.
func Unauthenticated() Card { return cards[unauthenticated] }
