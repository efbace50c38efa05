import Foundation

// Opening the sources, strongest first, and judging the names in them: a misspelt name would go unnoticed.

extension Loading {
    mutating func openFlags(_ arguments: [String]) {
        faults += Flags(arguments: arguments).faults(knowing: Settings.declarations.all)
        open(.flags(arguments))
    }

    mutating func openEnvironment(_ variables: [String: String]) {
        judgeNames(Array(variables.keys), in: .environment)
        open(.variables(variables, origin: .environment))
    }

    mutating func openEnvironmentFile() {
        guard let text = environmentFileText() else { return }
        let file = EnvironmentFile(text)
        faults += file.brokenLines.map {
            SettingFault(name: ".env line \($0.number)", found: "a line that cannot be read", repair: $0.repair)
        }
        judgeNames(Array(file.values.keys), in: .environmentFile)
        open(.variables(file.values, origin: .environmentFile))
    }

    private mutating func environmentFileText() -> String? {
        do {
            let data = try Data(contentsOf: URL(filePath: folder.absolute(".env")))
            guard let text = String(validating: data, as: UTF8.self) else {
                faults.append(SettingFault(name: ".env", found: "bytes that are not UTF-8", repair: "Save the file as UTF-8."))
                return nil
            }
            return text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
        } catch CocoaError.fileReadNoSuchFile {
            return nil
        } catch {
            faults.append(
                SettingFault(name: ".env", found: "a file that cannot be read", repair: "Let this user read it, or move it away."))
            return nil
        }
    }

    mutating func openConfigurationFile() {
        let setting = Settings.declarations.configurationFile
        guard let path = value(\.configurationFile) ?? nil, let name = line(setting.name)?.value else { return }
        do {
            let file = try ConfigurationFile(path: path)
            judgeKeys(file.keys, in: name)
            open(.file(file, named: name))
        } catch {
            faults.append(SettingFault(name: setting.name, found: Shown.quoted(name), repair: error.repair))
        }
    }

    /// Other programs own the rest of the environment, but names that begin with ours are meant for us.
    private mutating func judgeNames(_ names: [String], in origin: Origin) {
        let known = Settings.declarations.all.map(\.name)
        for name in names.sorted() where name.hasPrefix(SettingName.product) && !known.contains(name) && !Self.names.contains(name) {
            faults.append(unknown(name, among: known, spelled: { $0 }, found: "an unknown name (\(origin))"))
        }
    }

    /// Names of ours that are no settings: where the tests find their larger files and the servers they use.
    private static let names: Set = ["MARTLET_FIXTURES", "MARTLET_TEST_POSTGRES_URL", "MARTLET_TEST_REDIS_URL"]

    private mutating func judgeKeys(_ keys: [String], in file: String) {
        let known = Settings.declarations.all.map(\.name).filter { $0 != Settings.declarations.configurationFile.name }
        for (variable, spellings) in Dictionary(grouping: keys, by: SettingName.variable(ofKey:)).sorted(by: { $0.key < $1.key }) {
            if !known.contains(variable) {
                faults.append(unknown(spellings[0], among: known, spelled: { $0.lowercased() }, found: "an unknown key (\(file))"))
            } else if spellings.count > 1 {
                let found = "it \(spellings.count) times in \(file): \(spellings.joined(separator: ", "))"
                faults.append(SettingFault(name: variable, found: found, repair: "Keep one of them."))
            }
        }
    }

    private func unknown(_ name: String, among known: [String], spelled: (String) -> String, found: String) -> SettingFault {
        let variable = SettingName.variable(ofKey: name)
        let bare = variable.hasPrefix(SettingName.product) ? String(variable.dropFirst(SettingName.product.count)) : variable
        let nearest = Suggestion.closest(to: variable, among: known) ?? Suggestion.closest(to: bare, among: known)
        let suggestion = known.contains(bare) ? bare : nearest
        let repair = suggestion.map { "Did you mean \(spelled($0))?" } ?? "Remove it; docs/configuration.md lists every setting."
        return SettingFault(name: Shown.value(name, isSecret: false), found: found, repair: repair)
    }
}
