import Foundation

extension Settings {
    /// Reads every setting: flags first, then the environment, `.env` in the folder, the file `MARTLET_CONFIG` names, and defaults.
    ///
    /// Empty values count as not set. Where ``Environment/isLocal``, missing secrets are made up and kept in `var/secrets`;
    /// nothing else is written. Loading again gives the same settings.
    ///
    /// - Parameters:
    ///   - environment: the process's variables.
    ///   - arguments: flags such as `["--port", "9000"]` or `["--port=9000"]`, without program and command names.
    ///   - folder: the working folder: `.env` and relative paths are looked up there.
    /// - Throws: everything that is wrong, at once.
    public static func load(
        environment: [String: String], arguments: [String], folder: String
    ) throws(SettingsFaults) -> Settings {
        var loading = Loading(folder: WorkingFolder(path: folder))
        loading.openFlags(arguments)
        loading.openEnvironment(environment)
        loading.openEnvironmentFile()
        loading.readEverySetting()
        loading.faults += Rules.faults(in: loading)
        guard loading.faults.isEmpty else { throw SettingsFaults(faults: loading.faults) }
        return Settings(values: loading.values, lines: loading.lines)
    }
}

/// Settings on their way in: the sources opened so far, and what was read from them.
struct Loading {
    let folder: WorkingFolder
    var faults: [SettingFault] = []
    private(set) var values: [String: any Sendable] = [:]
    private(set) var lines: [SettingLine] = []
    private var sources: [Source] = []

    init(folder: WorkingFolder) {
        self.folder = folder
    }

    mutating func open(_ source: Source) {
        sources.append(source)
    }

    mutating func readEverySetting() {
        for setting in Settings.declarations.all {
            setting.load(into: &self)
            if setting.name == Settings.declarations.configurationFile.name { openConfigurationFile() }
        }
    }

    mutating func read<Value>(_ setting: Setting<Value>) {
        for source in sources {
            do {
                guard let text = try source.text(of: setting) else { continue }
                return take(text, from: source.origin, for: setting)
            } catch {
                return faults.append(
                    SettingFault(name: setting.name, found: "a list or an object (\(source.origin))", repair: error.repair))
            }
        }
        takeFallback(for: setting)
    }

    private mutating func take<Value>(_ text: String, from origin: Origin, for setting: Setting<Value>) {
        let shown = Shown.value(text, isSecret: setting.isSecret)
        do {
            keep(try setting.kind.parse(text, folder), for: setting, shown: shown, origin: origin)
        } catch {
            let found = setting.isSecret ? shown : Shown.quoted(shown)
            faults.append(SettingFault(name: setting.name, found: "\(found) (\(origin))", repair: error.repair))
        }
    }

    private mutating func takeFallback<Value>(for setting: Setting<Value>) {
        // When ENVIRONMENT itself is at fault, nothing that depends on it is judged or made up.
        guard let text = setting.fallback.text(environment ?? .development) else {
            if let environment { takeSecret(for: setting, in: environment) }
            return
        }
        take(text, from: .default, for: setting)
    }

    private mutating func takeSecret<Value>(for setting: Setting<Value>, in environment: Settings.Environment) {
        guard environment.isLocal else {
            let repair = "Set it; make one with `openssl rand -base64 48`."
            return faults.append(SettingFault(name: setting.name, found: "nothing", repair: repair))
        }
        do {
            let secret = try SecretStore(folder: folder.absolute("var/secrets")).secret(named: setting.name)
            take(secret.unsafeReveal(), from: .generated, for: setting)
        } catch {
            faults.append(SettingFault(name: setting.name, found: "\(error.found) at \(error.path)", repair: error.repair))
        }
    }

    private mutating func keep<Value>(_ value: Value, for setting: Setting<Value>, shown: String, origin: Origin) {
        values[setting.name] = value
        lines.append(SettingLine(name: setting.name, value: shown, origin: origin))
    }

    var environment: Settings.Environment? { value(\.environment) }

    /// What was read so far; `nil` when it was not, or was at fault.
    func value<Value>(_ path: KeyPath<Declarations, Setting<Value>>) -> Value? {
        values[Settings.declarations[keyPath: path].name] as? Value
    }

    func line(_ name: String) -> SettingLine? {
        lines.first { $0.name == name }
    }
}
