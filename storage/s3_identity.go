package storage

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// identity says as whom a store is asked, for people: never a secret.
type identity struct {
	key    string // the access key's name
	from   string // where it was taken from
	secret string // where the secret key was taken from
}

// said is a setting and where it comes from.
type said struct{ value, from string }

// firstSet is the first that is set.
func firstSet(list ...said) (value, from string) {
	for _, s := range list {
		if s.value != "" {
			return s.value, s.from
		}
	}
	return "", ""
}

// identify finds credentials in the usual places: the settings, the environment, the AWS files, a web identity or the
// container that the program runs in. The first that names any decides.
func identify(o BlobOptions, client *http.Client) (*credentials.Credentials, identity, error) {
	get := o.Getenv
	if o.S3.Profile == "" {
		for _, place := range []struct{ key, secret, token, keyName, secretName string }{
			{o.S3.AccessKey, o.S3.SecretKey, o.S3.SessionToken, "s3.access_key", "s3.secret_key"},
			{get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"), get("AWS_SESSION_TOKEN"), "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
		} {
			if place.key == "" && place.secret == "" {
				continue
			}
			if place.key == "" || place.secret == "" {
				return nil, identity{}, fmt.Errorf("%s and %s belong together: set both", place.keyName, place.secretName)
			}
			return credentials.NewStaticV4(place.key, place.secret, place.token), identity{place.key, place.keyName, place.secretName}, nil
		}
	}
	profile, _ := firstSet(said{o.S3.Profile, ""}, said{get("AWS_PROFILE"), ""}, said{"default", ""})
	creds, who, err := fromFiles(get, profile)
	if creds != nil || err != nil {
		return creds, who, err
	}
	if creds := fromSurroundings(get, client); creds != nil && o.S3.Profile == "" {
		v, err := creds.GetWithContext(&credentials.CredContext{Client: client})
		if err != nil {
			return nil, identity{}, fmt.Errorf("get credentials from the web identity or container that the environment names: %w", err)
		}
		const from = "the web identity or container"
		return creds, identity{v.AccessKeyID, from, from}, nil
	}
	return nil, identity{}, fmt.Errorf("no credentials were found: set s3.access_key and s3.secret_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile %q in %s",
		profile, credentialsFile(get))
}

func credentialsFile(get func(string) string) string {
	file, _ := firstSet(said{get("AWS_SHARED_CREDENTIALS_FILE"), ""}, said{filepath.Join(get("HOME"), ".aws", "credentials"), ""})
	return file
}

// fromFiles reads a profile of the AWS files: of the credentials first, then of the configuration, where profiles but
// the default one are called "profile NAME". It gives nothing if neither file has the profile.
func fromFiles(get func(string) string, profile string) (*credentials.Credentials, identity, error) {
	config, _ := firstSet(said{get("AWS_CONFIG_FILE"), ""}, said{filepath.Join(get("HOME"), ".aws", "config"), ""})
	section := profile
	if profile != "default" {
		section = "profile " + profile
	}
	for _, place := range []struct{ file, section string }{{credentialsFile(get), profile}, {config, section}} {
		if _, err := os.Stat(place.file); errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, identity{}, fmt.Errorf("read credentials: %w", err)
		}
		creds := credentials.NewFileAWSCredentials(place.file, place.section)
		v, err := creds.GetWithContext(nil)
		if err != nil || v.AccessKeyID == "" {
			continue // no such profile, or one without keys
		}
		from := fmt.Sprintf("profile %q of %s", profile, place.file)
		return creds, identity{v.AccessKeyID, from, from}, nil
	}
	return nil, identity{}, nil
}

// fromSurroundings are credentials that are handed to the program where it runs and are renewed there. It gives nothing
// if the environment names none.
func fromSurroundings(get func(string) string, client *http.Client) *credentials.Credentials {
	iam := &credentials.IAM{Client: client, Region: get("AWS_REGION")}
	iam.EKSIdentity.TokenFile = get("AWS_WEB_IDENTITY_TOKEN_FILE")
	iam.EKSIdentity.RoleARN = get("AWS_ROLE_ARN")
	iam.EKSIdentity.RoleSessionName = get("AWS_ROLE_SESSION_NAME")
	iam.Container.CredentialsRelativeURI = get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
	iam.Container.CredentialsFullURI = get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	iam.Container.AuthorizationToken = get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
	iam.Container.AuthorizationTokenFile = get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
	if iam.EKSIdentity.TokenFile == "" && iam.Container.CredentialsRelativeURI == "" && iam.Container.CredentialsFullURI == "" {
		return nil
	}
	return credentials.New(iam)
}
