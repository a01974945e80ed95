using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Checking;

/// <summary>What makes two divergences the same bug: the rule or invariant that the system
/// breaks, the fields that differ, and the kind of the call.</summary>
/// <param name="Rule">Rule or invariant.</param>
/// <param name="Fields">Names of the fields that differ, sorted, each once.</param>
/// <param name="Call">Kind of the call; none when the machine was wrong from its start.</param>
public sealed record Fingerprint(string Rule, ImmutableArray<string> Fields, CallKind? Call)
{
    /// <summary>The fingerprint of a set of fields in any order.</summary>
    public static Fingerprint Of(string rule, IEnumerable<string> fields, CallKind? call) =>
        new(rule, [.. fields.Distinct().Order(StringComparer.Ordinal)], call);

    /// <summary>Characters of a file name, beside its digest and its extension.</summary>
    private const int LongestFileName = 120;

    private string CallName => Call?.ToString() ?? "Start";

    /// <summary>As a name of a file: nothing but letters, digits, dots and dashes.</summary>
    public string ToFileName()
    {
        string text = $"{CallName}-{Rule}-{string.Join("-", Fields)}";
        string clean = string.Concat(text.Select(c =>
            char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-'));
        return clean.Length <= LongestFileName ? clean : $"{clean[..LongestFileName]}-{Digest()}";
    }

    /// <summary>Tells long names apart that begin alike.</summary>
    private string Digest() => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(ToString())).AsSpan(0, 4));

    /// <inheritdoc/>
    public override string ToString() => $"{Rule} | {string.Join(",", Fields)} | {CallName}";

    /// <inheritdoc/>
    public bool Equals(Fingerprint? other) => other is not null
        && Rule == other.Rule && Call == other.Call
        && Fields.AsSpan().SequenceEqual(other.Fields.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Rule);
        hash.Add(Call);
        foreach (string field in Fields)
        {
            hash.Add(field);
        }

        return hash.ToHashCode();
    }
}
