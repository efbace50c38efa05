/// One setting: its description for people, how its text is read, and what stands in when it is not set.
///
/// A default is written out and read like any other text, so it cannot break the setting's own rule unnoticed.
public struct Setting<Value: Sendable>: Sendable {
    let name: String
    let help: String
    let unit: String?
    let isSecret: Bool
    let kind: Kind<Value>
    let fallback: Fallback

    /// A setting that has a value everywhere.
    ///
    /// - Parameter describedAs: what the documentation says when the default depends on the machine.
    init(
        _ name: String, _ kind: Kind<Value>, default value: Value, describedAs description: String? = nil, _ help: String,
        unit: String? = nil
    ) {
        let text = kind.write(value)
        self.init(name, kind, Fallback(description: description ?? text) { _ in text }, help, unit: unit)
    }

    /// A setting whose default depends on the environment.
    init(_ name: String, _ kind: Kind<Value>, defaultIn value: @escaping @Sendable (Settings.Environment) -> Value, _ help: String) {
        self.init(name, kind, Fallback.byEnvironment { kind.write(value($0)) }, help)
    }

    /// A setting that may be left out.
    init<Wrapped>(_ name: String, _ kind: Kind<Wrapped>, _ help: String) where Value == Wrapped? {
        self.init(name, kind.optional, Fallback(description: "") { _ in "" }, help)
    }

    /// A secret: never shown, without default, made up and kept where ``Settings/Environment/isLocal``.
    init(secret name: String, _ help: String) where Value == Secret {
        self.init(
            name, .secret, Fallback(description: "made up in development and test, required elsewhere") { _ in nil }, help, isSecret: true)
    }

    /// A setting that may be left out and is never shown.
    init<Wrapped>(hidden name: String, _ kind: Kind<Wrapped>, _ help: String) where Value == Wrapped? {
        self.init(name, kind.optional, Fallback(description: "") { _ in "" }, help, isSecret: true)
    }

    private init(_ name: String, _ kind: Kind<Value>, _ fallback: Fallback, _ help: String, unit: String? = nil, isSecret: Bool = false) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.help = help
        self.unit = unit
        self.isSecret = isSecret
    }

    func value(in values: [String: any Sendable]) -> Value {
        guard let value = values[name] as? Value else {
            preconditionFailure("\(name) has no value: Settings are made by loading, which keeps a value for every declaration.")
        }
        return value
    }
}

/// What stands in for a setting that is not set: a text to be read, or `nil` when there is none.
struct Fallback: Sendable {
    let description: String
    let text: @Sendable (Settings.Environment) -> String?

    static func byEnvironment(_ text: @escaping @Sendable (Settings.Environment) -> String) -> Fallback {
        let places = Dictionary(grouping: Settings.Environment.allCases, by: text)
        let description = places.sorted { $0.key > $1.key }
            .map { text, environments in "\(text) in \(environments.map(\.rawValue).joined(separator: ", "))" }
        return Fallback(description: description.joined(separator: "; "), text: text)
    }
}

/// The heading of the settings declared after it.
struct Group: Sendable {
    let title: String

    init(_ title: String) {
        self.title = title
    }
}

/// A setting of any type.
protocol AnySetting: Sendable {
    var name: String { get }
    var isSecret: Bool { get }
    var isBoolean: Bool { get }
    func declared(in group: String) -> Declared
    func load(into loading: inout Loading)
}

extension Setting: AnySetting {
    var isBoolean: Bool { Value.self == Bool.self }

    func declared(in group: String) -> Declared {
        let type = unit.map { "\(kind.type) (\($0))" } ?? kind.type
        return Declared(
            name: name, flag: SettingName.flag(of: name), type: type, default: fallback.description, description: help, group: group,
            isSecret: isSecret)
    }

    func load(into loading: inout Loading) {
        loading.read(self)
    }
}
