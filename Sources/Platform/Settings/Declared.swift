/// A setting as people are told about it: the source of the documentation and of `.env.example`.
public struct Declared: Sendable, Hashable {
    /// The environment variable, such as `PORT`.
    public let name: String
    /// The command-line flag, such as `--port`.
    public let flag: String
    /// What its text may be, with range and unit.
    public let type: String
    /// The default as it would be written, or in words where it depends on the machine or the environment; empty when there is none.
    public let `default`: String
    /// What it does.
    public let description: String
    /// The heading it belongs to.
    public let group: String
    /// Whether its value is never shown.
    public let isSecret: Bool
}

extension Settings {
    /// Every setting, in the order of ``Declarations``.
    public static var declaration: [Declared] {
        declarations.headed.map { group, setting in setting.declared(in: group) }
    }
}

extension Declarations {
    var all: [any AnySetting] { headed.map(\.setting) }

    /// The settings with their headings. A mirror lists stored properties in the order they are written, so that
    /// a setting need not be named a second time in a list.
    var headed: [(group: String, setting: any AnySetting)] {
        var title = ""
        return Mirror(reflecting: self).children.compactMap { child in
            if let group = child.value as? Group { title = group.title }
            return (child.value as? any AnySetting).map { (title, $0) }
        }
    }
}

/// How a setting is called in each source: `JWT_ISSUER` in the environment, `--jwt-issuer` as a flag, `jwt_issuer` in a file.
enum SettingName {
    /// The product's name is left out of flags: `MARTLET_CONFIG` is `--config`.
    static func flag(of name: String) -> String {
        "--" + flagComponents(of: name).joined(separator: "-")
    }

    static func flagComponents(of name: String) -> [String] {
        components(of: name.hasPrefix(product) ? String(name.dropFirst(product.count)) : name)
    }

    static func components(of name: String) -> [String] {
        name.lowercased().split(separator: "_").map(String.init)
    }

    /// The variable a key of a file means: `jwt_issuer`, `JWT_ISSUER` and `issuer` within `jwt` are all `JWT_ISSUER`.
    static func variable(ofKey key: String) -> String {
        String(key.uppercased().map { $0 == "." || $0 == "-" ? "_" : $0 })
    }

    static let product = "MARTLET_"
}
