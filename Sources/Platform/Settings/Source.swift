import Configuration

/// One place settings are read from.
///
/// Sources are asked one by one, not through a `ConfigReader`: that tells neither which of its providers answered nor
/// why a value could not be read.
struct Source: Sendable {
    let origin: Origin
    private let snapshot: any ConfigSnapshot
    private let key: @Sendable (String) -> AbsoluteConfigKey?

    static func flags(_ arguments: [String]) -> Source {
        // The provider passes over the first word, which is the name of the program.
        let provider = CommandLineArgumentsProvider(arguments: [""] + arguments, secretsSpecifier: .all)
        return Source(.flag, provider.snapshot()) { AbsoluteConfigKey(SettingName.flagComponents(of: $0)) }
    }

    static func variables(_ variables: [String: String], origin: Origin) -> Source {
        let provider = EnvironmentVariablesProvider(environmentVariables: variables, secretsSpecifier: .all)
        return Source(origin, provider.snapshot()) { AbsoluteConfigKey(SettingName.components(of: $0)) }
    }

    static func file(_ file: ConfigurationFile, named name: String) -> Source {
        let keys = Dictionary(file.keys.map { (SettingName.variable(ofKey: $0), $0) }, uniquingKeysWith: { first, _ in first })
        return Source(.configurationFile(name), file.snapshot) { name in keys[name].map { AbsoluteConfigKey([$0]) } }
    }

    private init(_ origin: Origin, _ snapshot: any ConfigSnapshot, key: @escaping @Sendable (String) -> AbsoluteConfigKey?) {
        self.origin = origin
        self.snapshot = snapshot
        self.key = key
    }

    /// The setting's text here; `nil` when it is not set or empty. Only secrets keep the spaces around them.
    func text(of setting: any AnySetting) throws(Refusal) -> String? {
        guard let key = key(setting.name), let content = try content(key) else { return nil }
        let text = self.text(content, of: setting)
        let kept = setting.isSecret ? text : text.trimmed
        return kept.trimmed.isEmpty ? nil : kept
    }

    /// Files hold numbers and lists too, and each type must be asked for by name.
    private func content(_ key: AbsoluteConfigKey) throws(Refusal) -> ConfigContent? {
        for type in [ConfigType.string, .int, .double, .stringArray] {
            if case .success(let result) = Result(catching: { try snapshot.value(forKey: key, type: type) }) {
                return result.value?.content
            }
        }
        throw Refusal(repair: "Give one value, or a list of texts.")
    }

    private func text(_ content: ConfigContent, of setting: any AnySetting) -> String {
        switch content {
        case .string(let text): text
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        // A flag alone, as in `--debug`, arrives as an empty list.
        case .stringArray(let texts): texts.isEmpty && origin == .flag && setting.isBoolean ? "true" : texts.joined(separator: ",")
        default: ""
        }
    }
}
