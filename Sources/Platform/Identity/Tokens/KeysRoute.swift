import HTTPTypes
import MartletContract
import MartletHTTP
import MartletIdentityAPI

/// Serves the public keys of our tokens.
func keysRoute(_ tokens: AccessTokens) -> Route {
    serve(open: KeysAPI.published) { _, _ in
        Reply(tokens.publishedKeys, fields: [.cacheControl: "public, max-age=300"])
    }
}
