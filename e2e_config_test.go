package main

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// variables are the names of all fields of the configuration.
func variables() (names []string) {
	for field := range reflect.TypeFor[Config]().Fields() {
		names = append(names, field.Tag.Get("env"))
	}
	return names
}

// environment sets the configuration's variables, for the time of the test; those that are not named are not set.
func environment(t *testing.T, values map[string]string) {
	t.Helper()
	for _, name := range variables() {
		t.Setenv(name, "") // so that it is put back
		if value, ok := values[name]; ok {
			t.Setenv(name, value)
			continue
		}
		require.NoError(t, os.Unsetenv(name))
	}
}

func TestTheExampleOfTheConfigurationIsCompleteAndGivesTheDefaults(t *testing.T) {
	content, err := os.ReadFile("deploy/queuecommerce.env")
	require.NoError(t, err)
	assignment := regexp.MustCompile(`^([A-Z][A-Z0-9_]*)=(\S*)$`)
	values, names, commented := map[string]string{}, []string{}, false
	for i, line := range strings.Split(string(content), "\n") {
		match := assignment.FindStringSubmatch(line)
		switch {
		case strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "# --"):
			commented = true
			continue
		case match != nil:
			assert.True(t, commented, "line %d: %s is not explained", i+1, match[1])
			assert.NotContains(t, values, match[1], "line %d", i+1)
			values[match[1]] = match[2]
			names = append(names, match[1])
		default:
			assert.Truef(t, line == "" || strings.HasPrefix(line, "# --"), "line %d: %q", i+1, line)
		}
		commented = false
	}
	wanted := variables()
	slices.Sort(wanted)
	slices.Sort(names)
	assert.Equal(t, wanted, names, "the fields of Config, and what the example names")

	environment(t, nil)
	defaults, err := loadConfig()
	require.NoError(t, err)
	environment(t, values)
	example, err := loadConfig()
	require.NoError(t, err)
	assert.Equal(t, defaults, example)
}

func TestAFaultInTheConfigurationNamesItsVariable(t *testing.T) {
	for name, values := range map[string][]string{
		"HTTP_ADDR":             {"3000", "0.0.0.0:3000", ":3000", "example.com:3000"},
		"JOURNAL_ARCHIVE_AFTER": {"week", "7", "-1h", "1s", "87601h"},
		"RESERVATION_TTL":       {"soon", "15", "0s", "-1m", "721h"},
		"TAX_RATE":              {"ten", "-0.1", "1.1", "0.0000001"},
		"SHIPPING_FLAT":         {"free", "-1", "10.5", "1000000001"},
		"CURRENCY":              {"USD", "euro", "e1r"},
		"EVENT_ALIASES":         {"maybe"},
		"LEGACY_QUEUES":         {"2"},
		"LOG_LEVEL":             {"loud"},
		"LOG_FORMAT":            {"xml"},
		"CLUSTER":               {"etcd", "mongo"}, // mongo without MONGODB_URI
		"CLUSTER_ADDR":          {"4000", "host"},
		"CLUSTER_ADVERTISE":     {"member-1"},
		"CLUSTER_LEASE_TTL":     {"6", "100ms", "1h"},
		"CLUSTER_TLS_CERT":      {"cert.pem"}, // without the other two
		"CLUSTER_TLS_KEY":       {"key.pem"},
		"CLUSTER_TLS_CA":        {"ca.pem"},
		"STRIPE_API_BASE":       {"http://127.0.0.1:1"}, // without a key
	} {
		for _, value := range values {
			t.Run(name+"="+value, func(t *testing.T) {
				environment(t, map[string]string{name: value})
				_, err := loadConfig()
				require.Error(t, err)
				assert.Contains(t, err.Error(), name)
			})
		}
	}
}

func TestAllFaultsInTheConfigurationAreToldAtOnce(t *testing.T) {
	environment(t, map[string]string{"TAX_RATE": "ten", "LOG_FORMAT": "xml", "CURRENCY": "EURO"})
	_, err := loadConfig()
	require.Error(t, err)
	for _, name := range []string{"TAX_RATE", "LOG_FORMAT", "CURRENCY"} {
		assert.Contains(t, err.Error(), name)
	}
}

func TestOffMeansNoBroker(t *testing.T) {
	environment(t, map[string]string{"AMQP_URL": "off"})
	config, err := loadConfig()
	require.NoError(t, err)
	assert.Empty(t, config.AMQPURL)
}
