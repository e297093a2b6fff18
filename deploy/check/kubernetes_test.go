package check

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// objects are those of an overlay, decoded strictly: an unknown or a doubled field is an error.
type objects struct {
	deployment *appsv1.Deployment
	service    *corev1.Service
	budget     *policyv1.PodDisruptionBudget
	network    *networkingv1.NetworkPolicy
	namespace  *corev1.Namespace
	settings   *corev1.ConfigMap
	nats       natsObjects // in an overlay with a cluster
	claims     []*corev1.PersistentVolumeClaim
}

// natsObjects are those of the NATS servers.
type natsObjects struct {
	set     *appsv1.StatefulSet
	service *corev1.Service
	budget  *policyv1.PodDisruptionBudget
	network *networkingv1.NetworkPolicy
	config  *corev1.ConfigMap
}

// build runs kustomize on a directory below deploy/kubernetes.
func build(t *testing.T, dir string) *objects {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "../kubernetes/"+dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decode := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var all objects
	docs := kyaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text)))
	buffer := make([]byte, len(text))
	for {
		n, err := docs.Read(buffer)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := decode.Decode(buffer[:n], nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, buffer[:n])
		}
		if m, ok := object.(metav1.Object); ok && strings.HasPrefix(m.GetName(), "nats") {
			all.nats.add(t, object)
			continue
		}
		switch o := object.(type) {
		case *appsv1.Deployment:
			all.deployment = o
		case *corev1.Service:
			all.service = o
		case *policyv1.PodDisruptionBudget:
			all.budget = o
		case *networkingv1.NetworkPolicy:
			all.network = o
		case *corev1.Namespace:
			all.namespace = o
		case *corev1.ConfigMap:
			all.settings = o
		case *corev1.PersistentVolumeClaim:
			all.claims = append(all.claims, o)
		default:
			t.Errorf("%T isn't expected", o)
		}
	}
	return &all
}

func (n *natsObjects) add(t *testing.T, object runtime.Object) {
	switch o := object.(type) {
	case *appsv1.StatefulSet:
		n.set = o
	case *corev1.Service:
		n.service = o
	case *policyv1.PodDisruptionBudget:
		n.budget = o
	case *networkingv1.NetworkPolicy:
		n.network = o
	case *corev1.ConfigMap:
		n.config = o
	default:
		t.Errorf("%T isn't expected", o)
	}
}

// TestKubernetes checks each overlay: the types of the API, the selectors, Pod Security's profile restricted, ports, volumes.
func TestKubernetes(t *testing.T) {
	for _, dir := range []string{"base", "persistent", "access", "cluster"} {
		t.Run(dir, func(t *testing.T) {
			o := build(t, dir)
			pod := &o.deployment.Spec.Template
			matching := func(name string, s *metav1.LabelSelector) {
				selector, err := metav1.LabelSelectorAsSelector(s)
				if err != nil || selector.Empty() || !selector.Matches(labels.Set(pod.Labels)) {
					t.Errorf("%s selects %v (%v), and the pods have the labels %v", name, selector, err, pod.Labels)
				}
			}
			matching("the deployment", o.deployment.Spec.Selector)
			matching("the budget", o.budget.Spec.Selector)
			matching("the network policy", &o.network.Spec.PodSelector)
			matching("the service", &metav1.LabelSelector{MatchLabels: o.service.Spec.Selector})
			for _, namespace := range []string{o.deployment.Namespace, o.service.Namespace, o.budget.Namespace, o.network.Namespace, o.settings.Namespace} {
				if namespace != o.namespace.Name {
					t.Errorf("an object is in namespace %q, want %q", namespace, o.namespace.Name)
				}
			}
			checkPodSecurity(t, o.namespace, &pod.ObjectMeta, &pod.Spec)
			checkContainer(t, o, &pod.Spec)
		})
	}
}

// checkPodSecurity checks the pod by the profile that its namespace enforces.
func checkPodSecurity(t *testing.T, namespace *corev1.Namespace, meta *metav1.ObjectMeta, pod *corev1.PodSpec) {
	t.Helper()
	latest := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	level, problems := api.PolicyToEvaluate(namespace.Labels, api.Policy{Enforce: latest, Audit: latest, Warn: latest})
	if len(problems) > 0 || level.Enforce.Level != api.LevelRestricted {
		t.Errorf("the namespace enforces %v (%v), want restricted", level.Enforce, problems)
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range evaluator.EvaluatePod(level.Enforce, meta, pod) {
		if !result.Allowed {
			t.Errorf("Pod Security refuses the pod: %s: %s", result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
}

func checkContainer(t *testing.T, o *objects, pod *corev1.PodSpec) {
	t.Helper()
	c := &pod.Containers[0]
	if s := c.SecurityContext; s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		t.Error("the root file system can be written")
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("the pod has a token of the cluster")
	}
	if from := c.EnvFrom[0].ConfigMapRef; from.Name != o.settings.Name {
		t.Errorf("the settings are in %s, and the container reads %s", o.settings.Name, from.Name)
	}
	port := func(name string) bool {
		return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == name })
	}
	for name, probe := range map[string]*corev1.Probe{"readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
		if probe == nil || probe.HTTPGet == nil || !port(probe.HTTPGet.Port.StrVal) {
			t.Errorf("the %s probe is %v", name, probe)
		}
	}
	if c.LivenessProbe.HTTPGet.Path != "/healthz" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Error("a server that drains would be restarted, or would get new clients")
	}
	if c.StartupProbe != nil {
		t.Error("a server that waits for NATS would be restarted")
	}
	for _, p := range o.service.Spec.Ports {
		if !port(p.TargetPort.StrVal) {
			t.Errorf("the service sends to port %v, which the container doesn't have", p.TargetPort)
		}
	}
	// The pod must leave the Service before it stops to serve.
	drain, err := time.ParseDuration(o.settings.Data["TICKLANE_SERVER_DRAIN_DELAY"])
	if notice := time.Duration(c.ReadinessProbe.PeriodSeconds*c.ReadinessProbe.FailureThreshold) * time.Second; err != nil || drain < notice+2*time.Second {
		t.Errorf("server.drain_delay is %v (%v), and the readiness probe needs %v", drain, err, notice)
	}
	volumes := map[string]corev1.VolumeSource{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v.VolumeSource
	}
	for _, m := range c.VolumeMounts {
		v, ok := volumes[m.Name]
		if claim := v.PersistentVolumeClaim; !ok || claim != nil && (len(o.claims) != 1 || claim.ClaimName != o.claims[0].Name) {
			t.Errorf("volume %s is %+v, claims %v", m.Name, v, o.claims)
		}
		if v.PersistentVolumeClaim != nil && o.deployment.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
			t.Error("a new pod would start while the old one has data.dir")
		}
	}
}
