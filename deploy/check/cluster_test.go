package check

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// TestKubernetesCluster checks what is particular to the overlay with NATS: its servers, who reaches them, and how the pods of both are
// spread and replaced.
func TestKubernetesCluster(t *testing.T) {
	o := build(t, "cluster")
	n := o.nats
	pod, server := &n.set.Spec.Template, &o.deployment.Spec.Template
	matching := func(name string, s *metav1.LabelSelector, want, other map[string]string) {
		t.Helper()
		selector, err := metav1.LabelSelectorAsSelector(s)
		if err != nil || !selector.Matches(labels.Set(want)) || selector.Matches(labels.Set(other)) {
			t.Errorf("%s selects %v (%v)", name, selector, err)
		}
	}
	matching("the set", n.set.Spec.Selector, pod.Labels, server.Labels)
	matching("the budget", n.budget.Spec.Selector, pod.Labels, server.Labels)
	matching("the network policy", &n.network.Spec.PodSelector, pod.Labels, server.Labels)
	matching("the service", &metav1.LabelSelector{MatchLabels: n.service.Spec.Selector}, pod.Labels, server.Labels)
	matching("the anti-affinity", pod.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].LabelSelector, pod.Labels, server.Labels)
	for _, spread := range server.Spec.TopologySpreadConstraints {
		matching("the spread over "+spread.TopologyKey, spread.LabelSelector, server.Labels, pod.Labels)
	}
	clients := n.network.Spec.Ingress[0].From[0].PodSelector
	matching("access of clients", clients, server.Labels, pod.Labels)
	found := false
	for _, rule := range o.network.Spec.Egress {
		for _, to := range rule.To {
			if to.PodSelector != nil {
				matching("the way to NATS", to.PodSelector, pod.Labels, server.Labels)
				found = rule.Ports[0].Port.IntValue() == 4222
			}
		}
	}
	if !found {
		t.Error("the servers don't reach NATS")
	}
	checkPodSecurity(t, o.namespace, &pod.ObjectMeta, &pod.Spec)
	if n.service.Spec.ClusterIP != corev1.ClusterIPNone || n.set.Spec.ServiceName != n.service.Name || *n.set.Spec.Replicas != 3 || *o.deployment.Spec.Replicas != 3 {
		t.Errorf("%+v, %+v", n.service.Spec, n.set.Spec)
	}
	if r := o.deployment.Spec.Strategy.RollingUpdate; r.MaxUnavailable.IntValue() != 0 || n.budget.Spec.MaxUnavailable.IntValue() != 1 {
		t.Errorf("more than one ends at a time: %+v", r)
	}
	arguments := strings.Join(pod.Spec.Containers[0].Args, " ")
	url := ""
	for _, e := range server.Spec.Containers[0].Env {
		if e.Name == "TICKLANE_BUS_NATS_URL" {
			url = e.Value
		}
	}
	for _, name := range []string{"nats-0.nats", "nats-1.nats", "nats-2.nats"} {
		if !strings.Contains(arguments, "@"+name+":6222") || !strings.Contains(url, "nats://ticklane:$(NATS_PASSWORD)@"+name+":4222") {
			t.Errorf("%s is missing in %s or %s", name, arguments, url)
		}
	}
	for _, v := range pod.Spec.Volumes {
		if v.Name == "config" && (v.ConfigMap.Name != n.config.Name || n.config.Data["nats.conf"] == "") {
			t.Errorf("the configuration is in %s, and the pod has %s", n.config.Name, v.ConfigMap.Name)
		}
	}
	c := &pod.Spec.Containers[0]
	if len(n.set.Spec.VolumeClaimTemplates) != 1 || n.set.Spec.VolumeClaimTemplates[0].Name != c.VolumeMounts[2].Name || c.VolumeMounts[2].MountPath != "/data" {
		t.Errorf("the store isn't on a volume: %+v", c.VolumeMounts)
	}
	if c.ReadinessProbe == nil || c.LivenessProbe == nil || c.StartupProbe == nil || c.Lifecycle.PreStop == nil {
		t.Error("a probe or the hook at the end is missing")
	}
}
