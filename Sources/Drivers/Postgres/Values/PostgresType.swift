/// The server's own types whose binary form is known here, by the numbers that PostgreSQL has fixed for ever (`pg_type.dat`).
///
/// Types that an extension brings, such as `citext`, have another number in every database and are never guessed.
enum PostgresType: UInt32, CaseIterable {
    case bool = 16
    case bytea = 17
    /// `"char"`, one byte.
    case char = 18
    case name = 19
    case int8 = 20
    case int2 = 21
    case int4 = 23
    case text = 25
    case oid = 26
    case xid = 28
    case json = 114
    case xml = 142
    case float4 = 700
    case float8 = 701
    case unknown = 705
    case textArray = 1009
    case varcharArray = 1015
    case bpchar = 1042
    case varchar = 1043
    case date = 1082
    case timestamp = 1114
    case timestamptz = 1184
    case numeric = 1700
    case void = 2278
    case uuid = 2950
    case jsonb = 3802
}
