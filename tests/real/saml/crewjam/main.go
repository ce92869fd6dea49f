// crewjam/saml as a provider with ana and ben: main PORT KEY CERT; our metadata comes by PUT /knows.
package main

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/crewjam/saml"
	"github.com/crewjam/saml/logger"
	dsig "github.com/russellhaering/goxmldsig"
)

type people struct{ known map[string]*saml.Session }

func (p people) GetSession(w http.ResponseWriter, r *http.Request, asked *saml.IdpAuthnRequest) *saml.Session {
	_ = r.ParseForm()
	name := r.PostForm.Get("username")
	if found, ok := p.known[name]; ok && r.PostForm.Get("password") == name+"-pw" {
		found.CreateTime, found.ExpireTime = time.Now(), time.Now().Add(time.Hour)
		return found
	}
	hidden := ""
	if asked.RequestBuffer != nil && len(asked.RequestBuffer) > 0 {
		for _, one := range []string{"SAMLRequest", "RelayState", "SigAlg", "Signature"} {
			hidden += fmt.Sprintf(`<input type="hidden" name="%s" value="%s"/>`, one, html.EscapeString(r.FormValue(one)))
		}
	}
	target := html.EscapeString(r.URL.String())
	fmt.Fprintf(w, `<form method="post" action="%s"><input name="username"/><input type="password" name="password"/>%s</form>`, target, hidden)
	return nil
}

type services struct {
	sync.Mutex
	found *saml.EntityDescriptor
}

func (s *services) GetServiceProvider(_ *http.Request, id string) (*saml.EntityDescriptor, error) {
	s.Lock()
	defer s.Unlock()
	if s.found == nil || s.found.EntityID != id {
		return nil, os.ErrNotExist
	}
	return s.found, nil
}

func main() {
	pair, err := tls.LoadX509KeyPair(os.Args[3], os.Args[2])
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		panic(err)
	}
	base := "http://127.0.0.1:" + os.Args[1]
	at := func(path string) url.URL { found, _ := url.Parse(base + path); return *found }
	known := &services{}
	persistent := "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	person := func(name string, groups ...string) *saml.Session {
		return &saml.Session{ID: name + "-1", Index: name + "-s", NameID: name + "-1", NameIDFormat: persistent,
			CustomAttributes: []saml.Attribute{{Name: "groups", NameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
				Values: values(groups)}}}
	}
	idp := &saml.IdentityProvider{
		Key: pair.PrivateKey.(crypto.PrivateKey), Certificate: leaf, Logger: logger.DefaultLogger, MetadataURL: at("/metadata"), SSOURL: at("/sso"),
		ServiceProviderProvider: known, SignatureMethod: dsig.RSASHA256SignatureMethod,
		SessionProvider: people{map[string]*saml.Session{"ana": person("ana", "finance", "analysts"), "ben": person("ben", "contractors")}},
	}
	http.HandleFunc("/metadata", idp.ServeMetadata)
	http.HandleFunc("/sso", func(w http.ResponseWriter, r *http.Request) {
		// The form comes back by POST, the request came by GET: the query is what was signed, so it is kept as it was.
		if r.Method == http.MethodPost && r.URL.RawQuery != "" {
			body, _ := io.ReadAll(r.Body)
			form, _ := url.ParseQuery(string(body))
			r.Method = http.MethodGet
			r.PostForm = url.Values{"username": form["username"], "password": form["password"]}
			r.Form = r.URL.Query()
		}
		idp.ServeSSO(w, r)
	})
	http.HandleFunc("/begin", func(w http.ResponseWriter, r *http.Request) {
		idp.ServeIDPInitiated(w, r, r.URL.Query().Get("sp"), "")
	})
	http.HandleFunc("/knows", func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		found := &saml.EntityDescriptor{}
		if err := xml.Unmarshal(content, found); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		known.Lock()
		known.found = found
		known.Unlock()
	})
	fmt.Println("ready")
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}

func values(texts []string) (found []saml.AttributeValue) {
	for _, one := range texts {
		found = append(found, saml.AttributeValue{Type: "xs:string", Value: one})
	}
	return found
}
