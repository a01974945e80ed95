using System.Collections.Immutable;

namespace ShmCheck.Cli.Presentation;

/// <summary>The JSON of one file of <c>replay</c>.</summary>
internal sealed record ReplayJson(
    string File, string Verdict, int Calls, ImmutableArray<string> Problems)
{
    public const string Conforms = "conforms";
    public const string Diverges = "diverges";
    public const string Unreadable = "unreadable";

    /// <summary>The trace is about a machine that the system cannot be.</summary>
    public const string NotApplicable = "not applicable";
}
