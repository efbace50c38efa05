/// What settings must be together, beyond what each must be alone.
///
/// A rule looks only at what was read without fault, so one mistake is not reported twice.
struct Rules {
    private let loading: Loading

    static func faults(in loading: Loading) -> [SettingFault] {
        let rules = Rules(loading: loading)
        return rules.secrets() + rules.production() + rules.encryption() + rules.crossOrigin() + rules.hashing() + rules.logFiles()
            + rules.issuers() + rules.mail()
    }

    /// Staging is reachable by others too, and its data is often a copy of the real one.
    private func secrets() -> [SettingFault] {
        guard let environment = loading.environment, !environment.isLocal else { return [] }
        return Settings.declarations.all.compactMap { setting in
            let value = loading.values[setting.name]
            return (value as? Secret)?.weakness.map { fault(setting.name, $0) }
                ?? (value as? [Secret]).flatMap { firstWeakness(of: $0) }.map { secretFault(setting.name, $0) }
        }
    }

    private func firstWeakness(of secrets: [Secret]) -> String? {
        secrets.enumerated().lazy.compactMap { index, secret in secret.weakness.map { "Number \(index + 1): \($0)" } }.first
    }

    private func production() -> [SettingFault] {
        guard loading.environment == .production else { return [] }
        let declarations = Settings.declarations
        return [
            loading.value(\.debug) == true ? fault(declarations.debug.name, "Turn it off in production.") : nil,
            loading.value(\.testRoutes) == true ? fault(declarations.testRoutes.name, "Turn it off in production.") : nil,
            loading.value(\.rateLimits) == false ? fault(declarations.rateLimits.name, "Turn it on in production.") : nil,
            loading.value(\.corsOrigins) == .all
                ? fault(declarations.corsOrigins.name, "List the exact origins in production, or leave it empty.") : nil,
        ].compactMap { $0 }
    }

    private func encryption() -> [SettingFault] {
        let names = (Settings.declarations.tlsCertificateFile.name, Settings.declarations.tlsPrivateKeyFile.name)
        switch (loading.value(\.tlsCertificateFile), loading.value(\.tlsPrivateKeyFile)) {
        case (.some(.some), .some(.none)): return [missing(names.1, beside: names.0)]
        case (.some(.none), .some(.some)): return [missing(names.0, beside: names.1)]
        default: return []
        }
    }

    /// With credentials, `*` would let any page act as its visitor (Fetch standard, CORS protocol and credentials).
    private func crossOrigin() -> [SettingFault] {
        guard loading.environment != .production, loading.value(\.corsOrigins) == .all, loading.value(\.corsCredentials) == true else {
            return []
        }
        return [fault(Settings.declarations.corsOrigins.name, "List the exact origins, or turn CORS_CREDENTIALS off.")]
    }

    /// Argon2 needs 8 KiB for each lane (RFC 9106 §3.1).
    private func hashing() -> [SettingFault] {
        guard let memory = loading.value(\.argon2Memory), let lanes = loading.value(\.argon2Parallelism), memory < 8 * lanes else {
            return []
        }
        return [fault(Settings.declarations.argon2Memory.name, "Give at least \(8 * lanes), 8 KiB for each lane of ARGON2_PARALLELISM.")]
    }

    /// Written twice and rotated twice, a file would tell nothing.
    private func logFiles() -> [SettingFault] {
        guard let file = loading.value(\.logFile) ?? nil, file == loading.value(\.logErrorFile) ?? nil else { return [] }
        return [fault(Settings.declarations.logErrorFile.name, "Give another file than LOG_FILE.")]
    }

    /// A token must say whose it is, and the secrets of others must be as good as ours.
    private func issuers() -> [SettingFault] {
        let name = Settings.declarations.authIssuers.name
        return ((loading.value(\.authIssuers) ?? nil) ?? []).enumerated().flatMap { index, issuer in
            let isOurs = issuer.issuer == loading.value(\.jwtIssuer)
            return [
                isOurs ? secretFault(name, "Issuer \(index + 1) has our own name, JWT_ISSUER: one of them needs another.") : nil,
                weakness(of: issuer).map { secretFault(name, "Issuer \(index + 1): \($0)") },
            ].compactMap { $0 }
        }
    }

    private func weakness(of issuer: AuthIssuer) -> String? {
        guard let environment = loading.environment, !environment.isLocal, case .secret(let secret, _) = issuer.keys else { return nil }
        return secret.weakness
    }

    private func secretFault(_ name: String, _ repair: String) -> SettingFault {
        SettingFault(name: name, found: loading.line(name)?.value ?? "nothing", repair: repair)
    }

    /// Mail holds secrets and links: it must not lie about, and must lead to this server.
    private func mail() -> [SettingFault] {
        guard let url = loading.value(\.mailURL), url != .nowhere, let environment = loading.environment, !environment.isLocal else {
            return []
        }
        let (isServer, declarations) = (url.isServer, Settings.declarations)
        return [
            url == .log || (environment == .production && !isServer)
                ? fault(declarations.mailURL.name, "Give a mail server: mail holds secrets.") : nil,
            isServer && loading.value(\.mailSender) == .some(.none)
                ? missing(declarations.mailSender.name, beside: declarations.mailURL.name) : nil,
            loading.value(\.publicURL) == .some(.none) ? missing(declarations.publicURL.name, beside: declarations.mailURL.name) : nil,
        ].compactMap { $0 }
    }

    private func missing(_ name: String, beside other: String) -> SettingFault {
        SettingFault(name: name, found: "nothing, but \(other) is set", repair: "Set both or neither.")
    }

    private func fault(_ name: String, _ repair: String) -> SettingFault {
        guard let line = loading.line(name) else { return SettingFault(name: name, found: "nothing", repair: repair) }
        let isSecret = loading.values[name] is Secret
        return SettingFault(name: name, found: "\(isSecret ? line.value : Shown.quoted(line.value)) (\(line.origin))", repair: repair)
    }
}
