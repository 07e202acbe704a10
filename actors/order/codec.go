package order

import "github.com/queuecommerce/queuecommerce/actors/domain"

// Codec stores an order's events.
var Codec = domain.NewCodec[Event](
	Placed{}, ReservationRequested{}, Reserved{}, ReservationFailed{}, PaymentRequested{}, ReservationConfirmRequested{},
	ReservationConfirmed{}, ReleaseRequested{}, ReservationReleased{}, Confirmed{}, StatusChanged{}, Amended{}, Cancelled{},
	Settled{}, Hidden{},
)
