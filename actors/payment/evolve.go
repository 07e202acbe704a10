package payment

import (
	"slices"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Evolve makes the event part of the state. It never refuses: what is in the journal has happened. Slices are copied
// before they are changed, so that a copy of a State stays what it was.
func (s *State) Evolve(event Event) {
	s.Version++
	switch e := event.(type) {
	case Requested:
		s.Requested, s.Status, s.UpdatedAt = e, StatusPending, e.At
		s.publicID = domain.PaymentIntentID(e.OrderID)
	case IntentCreated:
		s.IntentID, s.ClientSecret, s.UpdatedAt = e.IntentID, e.ClientSecret, e.At
	case ConfirmRequested:
		s.Attempts = append(slices.Clone(s.Attempts), Attempt{Method: e.Method})
		s.Status, s.ErrorMessage, s.UpdatedAt = StatusProcessing, "", e.At
		s.Noticed.Failed, s.Noticed.Message = false, ""
	case Processing:
		s.Status, s.UpdatedAt = StatusProcessing, e.At
		s.ErrorMessage = ""
		if e.RequiresAction {
			s.ErrorMessage = actionRequired
		}
		s.finish(e.Attempt, "")
	case Succeeded:
		s.Status, s.PaidAt, s.ErrorMessage, s.UpdatedAt = StatusSucceeded, e.At, "", e.At
		s.Method = e.Method
		s.finish(e.Attempt, "")
		s.finish(len(s.Attempts), "")
	case Failed:
		s.Status, s.ErrorMessage, s.FailedAt, s.UpdatedAt = StatusFailed, e.Message, e.At, e.At
		s.Unpayable = s.Unpayable || e.Final
		s.Declines = append(slices.Clone(s.Declines), e.Message)
		s.Noticed.Failed, s.Noticed.Message = false, ""
		s.finish(e.Attempt, e.Message)
	case VoidRequested:
		s.Void, s.VoidReason = true, e.Reason
		s.touch(e.At)
	case Cancelled:
		s.Unpayable = true
		if s.Status != StatusFailed {
			s.Status = StatusCancelled
		}
		s.finish(len(s.Attempts), closed)
		s.touch(e.At)
	case RefundRequested:
		s.Refunds = append(slices.Clone(s.Refunds), Refund{Amount: e.Amount, Reason: e.Reason, OfVoid: s.Void, At: e.At})
		s.touch(e.At)
	case Refunded:
		s.refund(e)
	case RefundRejected:
		s.Refunds = slices.Clone(s.Refunds)
		s.Refunds[e.Index].Rejected = e.Message
		s.touch(e.At)
	case Disputed:
		s.Disputes = append(slices.Clone(s.Disputes), e.DisputeID)
		s.touch(e.At)
	case Noticed:
		if e.Failed {
			s.Noticed.Failed, s.Noticed.Message = true, e.Message
		}
		if e.Refunded > s.Noticed.Refunded {
			s.Noticed.Refunded, s.Noticed.RefundID = e.Refunded, e.RefundID
		}
		s.touch(e.At)
	}
}

func (s *State) refund(e Refunded) {
	if e.Index < 0 {
		s.External = append(slices.Clone(s.External), Refund{Amount: e.Amount, Reason: e.Reason, RefundID: e.RefundID, At: e.At})
	} else {
		s.Refunds = slices.Clone(s.Refunds)
		s.Refunds[e.Index].RefundID, s.Refunds[e.Index].At = e.RefundID, e.At
	}
	s.RefundedAt = e.At
	s.Status = StatusPartiallyRefunded
	if s.Refunded() >= s.Requested.Amount {
		s.Status = StatusRefunded
	}
	s.touch(e.At)
}

func (s *State) finish(attempt int, decline string) {
	if attempt < 1 || attempt > len(s.Attempts) || s.Attempts[attempt-1].Done {
		return
	}
	s.Attempts = slices.Clone(s.Attempts)
	s.Attempts[attempt-1].Done, s.Attempts[attempt-1].Decline = true, decline
}

func (s *State) touch(at domain.Time) { s.UpdatedAt = at }
