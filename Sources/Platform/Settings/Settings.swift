// MartletSettings: every setting of the server, read once at start into one typed value. It imports no server code.

/// Everything that can be set, typed and checked: `settings.port` is an `Int`, `settings.requestTimeout` a `Duration`.
///
/// The members are the properties of ``Declarations``: adding a setting there is all it takes. ``load(environment:arguments:folder:)``
/// is the only way to make one, so whoever holds a `Settings` need not check again. A copy may be changed, as tests do;
/// the rules between settings are not checked a second time.
@dynamicMemberLookup
public struct Settings: Sendable {
    /// The one place where each setting is described.
    public static let declarations = Declarations()

    /// What ``describe()`` prints, in the order of declaration.
    public let lines: [SettingLine]
    private var values: [String: any Sendable]

    init(values: [String: any Sendable], lines: [SettingLine]) {
        self.values = values
        self.lines = lines
    }

    public subscript<Value: Sendable>(dynamicMember path: KeyPath<Declarations, Setting<Value>>) -> Value {
        get { Self.declarations[keyPath: path].value(in: values) }
        set { values[Self.declarations[keyPath: path].name] = newValue }
    }
}

extension Settings {
    /// Where the server runs; it decides which defaults apply and what is refused.
    public enum Environment: String, Sendable, CaseIterable {
        case development, test, staging, production

        /// Whether missing secrets are made up and kept, and the database is migrated at start.
        public var isLocal: Bool { self == .development || self == .test }
    }

    /// How far SQLite goes to keep a commit (https://www.sqlite.org/pragma.html#pragma_synchronous).
    public enum SQLiteSynchronous: String, Sendable, CaseIterable {
        case full, normal
    }

    /// What a limit does while the counts that instances share are away.
    public enum LimitFallback: String, Sendable, CaseIterable {
        case local, open, closed
    }

    /// The names of swift-log's levels, least severe first.
    public enum LogLevel: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// `auto` is text on a terminal and JSON elsewhere.
    public enum LogFormat: String, Sendable, CaseIterable {
        case auto, text, json
    }

    /// What a request's `traceparent` means.
    public enum TraceParents: String, Sendable, CaseIterable {
        case `continue`, trust, ignore
    }
}
