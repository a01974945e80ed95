using System.Collections.Immutable;

namespace ShmCheck.Cli.Presentation;

/// <summary>The JSON of one file of <c>replay</c>.</summary>
internal sealed record ReplayJson(
    string File, string Verdict, int Calls, ImmutableArray<string> Problems,
    ImmutableArray<KnownJson> Known)
{
    public const string Conforms = "conforms";
    public const string Diverges = "diverges";
    public const string Unreadable = "unreadable";
}
