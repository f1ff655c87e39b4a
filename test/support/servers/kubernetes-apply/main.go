// Command kubernetes-apply serves Secrets with the field management of Kubernetes itself: the
// packages managedfields and structured-merge-diff, which kube-apiserver uses, with the schema of
// k8s.io/api. It is for tests, on this machine, and keeps everything in memory. It does not do
// what the rest of kube-apiserver does: rights, admission, and validation of Secrets.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"
)

var (
	resource = corev1.SchemeGroupVersion.WithResource("secrets")
	lock     sync.Mutex
	version  int
)

func main() {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		panic(err)
	}
	decoder := serializer.NewCodecFactory(scheme).UniversalDecoder()
	tracker := testing.NewFieldManagedObjectTracker(scheme, decoder, applyconfigurations.NewTypeConverter(scheme))
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/namespaces/{namespace}/secrets/{name}", func(out http.ResponseWriter, in *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		secret, err := handle(tracker, in)
		if err != nil {
			refuse(out, err)
			return
		}
		answer(out, http.StatusOK, secret)
	})
	mux.HandleFunc("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", func(out http.ResponseWriter, in *http.Request) {
		answer(out, http.StatusCreated, map[string]any{"status": map[string]any{"allowed": true}})
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(listener, mux))
}

func handle(tracker testing.ObjectTracker, in *http.Request) (*corev1.Secret, error) {
	namespace, name := in.PathValue("namespace"), in.PathValue("name")
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	present, err := find(tracker, namespace, name)
	if in.Method == http.MethodGet || (err != nil && !apierrors.IsNotFound(err)) {
		return present, err
	}
	manager := in.URL.Query().Get("fieldManager")
	switch in.Method {
	case http.MethodDelete:
		return present, tracker.Delete(resource, namespace, name)
	case http.MethodPut:
		err = update(tracker, body, namespace, manager, present)
	case http.MethodPatch:
		err = apply(tracker, in, body, namespace, name, present)
	default:
		err = apierrors.NewMethodNotSupported(resource.GroupResource(), in.Method)
	}
	if err != nil {
		return nil, err
	}
	return touch(tracker, namespace, name)
}

func find(tracker testing.ObjectTracker, namespace, name string) (*corev1.Secret, error) {
	held, err := tracker.Get(resource, namespace, name)
	if err != nil {
		return nil, err
	}
	secret := held.(*corev1.Secret).DeepCopy()
	secret.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}
	return secret, nil
}

// A change of somebody who does not apply, such as kubectl edit.
func update(tracker testing.ObjectTracker, body []byte, namespace, manager string, present *corev1.Secret) error {
	secret := &corev1.Secret{}
	if err := json.Unmarshal(body, secret); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	secret.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}
	if present == nil {
		return tracker.Create(resource, secret, namespace, metav1.CreateOptions{FieldManager: manager})
	}
	secret.ManagedFields = present.ManagedFields
	return tracker.Update(resource, secret, namespace, metav1.UpdateOptions{FieldManager: manager})
}

func apply(tracker testing.ObjectTracker, in *http.Request, body []byte, namespace, name string, present *corev1.Secret) error {
	if in.Header.Get("Content-Type") != "application/apply-patch+yaml" {
		return errors.New("the media type is not that of an apply")
	}
	query := in.URL.Query()
	force, err := strconv.ParseBool(query.Get("force"))
	if err != nil || query.Get("fieldManager") == "" {
		return apierrors.NewBadRequest("fieldManager and force are needed")
	}
	applied := map[string]any{}
	if err := yaml.UnmarshalStrict(body, &applied); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	object := &unstructured.Unstructured{Object: applied}
	if wanted := object.GetResourceVersion(); wanted != "" && (present == nil || wanted != present.ResourceVersion) {
		return apierrors.NewConflict(resource.GroupResource(), name, errors.New("the object has been modified"))
	}
	if present != nil {
		object.SetResourceVersion(present.ResourceVersion)
	}
	options := metav1.PatchOptions{FieldManager: query.Get("fieldManager"), Force: &force}
	return tracker.Apply(resource, object, namespace, options)
}

// The tracker counts no versions.
func touch(tracker testing.ObjectTracker, namespace, name string) (*corev1.Secret, error) {
	secret, err := find(tracker, namespace, name)
	if err != nil {
		return nil, err
	}
	version++
	secret.ResourceVersion = strconv.Itoa(version)
	if err := tracker.Update(resource, secret, namespace, metav1.UpdateOptions{FieldManager: "versions"}); err != nil {
		return nil, err
	}
	return find(tracker, namespace, name)
}

func refuse(out http.ResponseWriter, err error) {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		held := status.Status()
		held.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
		answer(out, int(held.Code), held)
		return
	}
	code := http.StatusInternalServerError
	if strings.Contains(err.Error(), "media type") {
		code = http.StatusUnsupportedMediaType
	}
	answer(out, code, map[string]any{"kind": "Status", "message": err.Error()})
}

func answer(out http.ResponseWriter, code int, body any) {
	out.Header().Set("content-type", "application/json")
	out.WriteHeader(code)
	_ = json.NewEncoder(out).Encode(body)
}
