import MartletIdentity
import MartletSettings

extension IdentityPolicy {
    /// Takes what the settings say about keys of tokens, and about other issuers.
    mutating func acceptTokens(_ settings: Settings) {
        tokens.keyFiles = settings.jwtKeyFiles
        tokens.accept(previousSecrets: (settings.jwtPreviousSecretKeys ?? []).map { $0.unsafeRevealBytes() })
        issuers = (settings.authIssuers ?? []).map { ExternalIssuer($0) }
    }
}

extension ExternalIssuer {
    init(_ setting: AuthIssuer) {
        self.init(
            issuer: setting.issuer, audience: setting.audience, algorithms: Set(setting.algorithms.map { TokenAlgorithm($0) }),
            keys: Keys(setting.keys),
            claims: Claims(
                email: setting.emailClaim, username: setting.usernameClaim, name: setting.nameClaim, roles: setting.rolesClaim),
            roles: setting.roles, linksVerifiedEmail: setting.linksVerifiedEmail)
    }
}

extension ExternalIssuer.Keys {
    init(_ setting: AuthIssuer.Keys) {
        switch setting {
        case .secret(let secret, let id): self = .secret(secret.unsafeRevealBytes(), id: id)
        case .published(let url): self = .published(at: url)
        }
    }
}

extension TokenAlgorithm {
    init(_ setting: AuthIssuer.Algorithm) {
        switch setting {
        case .hs256: self = .hs256
        case .rs256: self = .rs256
        case .es256: self = .es256
        case .edDSA: self = .edDSA
        }
    }
}
