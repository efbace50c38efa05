/// Where a setting's value came from, strongest first.
public enum Origin: Sendable, Hashable, CustomStringConvertible {
    case flag
    case environment
    /// The file `.env` in the working folder.
    case environmentFile
    /// The file named by `MARTLET_CONFIG`, as it was named.
    case configurationFile(String)
    /// Made up in development or test, and kept.
    case generated
    case `default`

    public var description: String {
        switch self {
        case .flag: "flag"
        case .environment: "environment"
        case .environmentFile: ".env"
        case .configurationFile(let name): name
        case .generated: "generated"
        case .default: "default"
        }
    }
}

/// A setting as it was found.
public struct SettingLine: Sendable, Hashable {
    /// The environment variable.
    public let name: String
    /// As written; secrets only by their length; empty when it is not set and needs no value.
    public let value: String
    public let origin: Origin
}

extension Settings {
    /// Each setting, its value and where it came from, one per line; secrets are shown as `set (44 characters)`.
    public func describe() -> String {
        let names = lines.map(\.name.count).max() ?? 0
        let shown = lines.map { $0.value.isEmpty ? "–" : $0.value }
        let values = min(40, shown.map(\.count).max() ?? 0)
        return zip(lines, shown).map { line, value in
            "\(line.name.padded(to: names))  \(value.padded(to: values))  \(line.origin)"
        }.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
