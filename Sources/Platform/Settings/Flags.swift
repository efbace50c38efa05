/// What is wrong with the flags as such, whatever their values: swift-configuration's provider passes over
/// flags nobody asks for and words that belong to none.
struct Flags {
    let arguments: [String]

    func faults(knowing settings: [any AnySetting]) -> [SettingFault] {
        let known = Dictionary(settings.map { (SettingName.flag(of: $0.name), $0) }, uniquingKeysWith: { first, _ in first })
        return arguments.indices.compactMap { index in
            let argument = arguments[index]
            guard argument.hasPrefix("--") else { return isValue(at: index) ? nil : stray(argument) }
            guard let setting = known[Self.name(of: argument)] else { return unknown(Self.name(of: argument), among: Array(known.keys)) }
            return setting.isBoolean || argument.contains("=") || isValue(at: index + 1) ? nil : withoutValue(argument)
        }
    }

    private static func name(of argument: String) -> String {
        String(argument.prefix { $0 != "=" })
    }

    /// One word after a flag without `=` is its value.
    private func isValue(at index: Int) -> Bool {
        guard index > 0, arguments.indices.contains(index), !arguments[index].hasPrefix("--") else { return false }
        return arguments[index - 1].hasPrefix("--") && !arguments[index - 1].contains("=")
    }

    private func unknown(_ flag: String, among known: [String]) -> SettingFault {
        let suggestion = Suggestion.closest(to: flag, among: known.sorted())
        let repair = suggestion.map { "Did you mean \($0)?" } ?? "Leave it out; docs/configuration.md lists the flags."
        return SettingFault(name: flag, found: "an unknown flag", repair: repair)
    }

    private func withoutValue(_ flag: String) -> SettingFault {
        SettingFault(name: flag, found: "no value", repair: "Give one: \(flag) VALUE.")
    }

    private func stray(_ argument: String) -> SettingFault {
        SettingFault(
            name: "flags", found: "a word of \(argument.count) characters that belongs to no flag",
            repair: "Write settings as --name value.")
    }
}
