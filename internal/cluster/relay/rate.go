package relay

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/bus/natserr"
)

// ErrNotShared is returned when a rate can't be passed to the other nodes. It wasn't changed.
var ErrNotShared = errors.New("the other servers can't be reached")

// Market is a simulated market: see market.Simulator.
type Market interface {
	Rate() float64
	SetRate(ticksPerSecond float64) error
}

// RateOptions are the options of a Rate. All but Logger are required.
type RateOptions struct {
	JetStream  jetstream.JetStream
	Prefix     string // of the bucket's name
	Replicas   int
	Market     Market
	Configured float64      // market.rate
	Logger     *slog.Logger // slog.Default() if nil
}

// Rate keeps the rate of a simulated market the same on all nodes, whichever of them runs it. Its methods may be called from any
// goroutine.
type Rate struct {
	RateOptions
	mu sync.Mutex // held while the market and the entry are compared
}

// NewRate returns a Rate. Run starts it.
func NewRate(o RateOptions) *Rate {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return &Rate{RateOptions: o}
}

const (
	rateKey      = "rate"
	rateTimeout  = 3 * time.Second
	rateInterval = 500 * time.Millisecond // between reads of the entry
)

// sharedRate is the value of the key. It is void for a node with another market.rate: the operator has changed that since.
type sharedRate struct {
	Rate       float64 `json:"rate"`
	Configured float64 `json:"configured"` // market.rate of the node that has set it
}

// Set sets the rate on all nodes. The error is ErrNotShared, or that of Market.SetRate.
func (r *Rate) Set(rate float64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.Market.Rate()
	if err := r.Market.SetRate(rate); err != nil {
		return err
	}
	if err := r.store(rate); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", ErrNotShared, err), r.Market.SetRate(before))
	}
	return nil
}

// store stores the rate for the other nodes.
func (r *Rate) store(rate float64) error {
	ctx, cancel := context.WithTimeout(context.Background(), rateTimeout)
	defer cancel()
	kv, err := r.bucket(ctx)
	if err != nil {
		return err
	}
	value, err := json.Marshal(sharedRate{rate, r.Configured})
	if err != nil {
		return err
	}
	_, err = kv.Put(ctx, rateKey, value)
	return err
}

func (r *Rate) name() string { return r.Prefix + "_lab" }

// bucket opens the bucket, which the first node that sets a rate creates.
func (r *Rate) bucket(ctx context.Context) (jetstream.KeyValue, error) {
	kv, err := r.JetStream.KeyValue(ctx, r.name())
	if !errors.Is(err, jetstream.ErrBucketNotFound) {
		return kv, err
	}
	kv, err = r.JetStream.CreateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: r.name(), Description: "What the lab of Ticklane has set", History: 1, Storage: jetstream.FileStorage, Replicas: r.Replicas,
	})
	if errors.Is(err, jetstream.ErrBucketExists) { // another node was faster
		return r.JetStream.KeyValue(ctx, r.name())
	}
	return kv, err
}

// Run applies the rate that another node has set, also before this one was started, until ctx is done.
func (r *Rate) Run(ctx context.Context) {
	tick := time.NewTicker(rateInterval)
	defer tick.Stop()
	for logged := ""; ctx.Err() == nil; {
		if err := natserr.Explain(r.read(ctx)); err == nil {
			logged = ""
		} else if ctx.Err() == nil && natserr.Text(err) != logged {
			logged = natserr.Text(err)
			r.Logger.Warn("market rate of the other servers unknown", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// read applies the stored rate, if there is one.
func (r *Rate) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rateTimeout)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	kv, err := r.JetStream.KeyValue(ctx, r.name())
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	e, err := kv.Get(ctx, rateKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.apply(e.Value())
}

func (r *Rate) apply(value []byte) error {
	var stored sharedRate
	if err := json.Unmarshal(value, &stored); err != nil {
		return err
	}
	if stored.Configured != r.Configured || stored.Rate == r.Market.Rate() {
		return nil
	}
	if err := r.Market.SetRate(stored.Rate); err != nil {
		return err
	}
	r.Logger.Info("market rate set on another server", "rate", stored.Rate)
	return nil
}
