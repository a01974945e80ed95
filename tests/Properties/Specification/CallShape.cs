using System.Collections.Immutable;

namespace ShmCheck.Properties.Specification;

/// <summary>One way in which a call can be wrong.</summary>
/// <param name="Rule">The rule that finds it.</param>
/// <param name="Before">Calls to be made before.</param>
/// <param name="Arguments">Arguments, by name, and the values that make them wrong: several where
/// one of them may be wrong in another way too. Flags are added up.</param>
internal sealed record Flaw(
    string Rule, string Before = "", params (string Name, string[] Values)[] Arguments);

/// <summary>A call that succeeds as it stands, and the ways in which it can be wrong, in the order
/// in which they are found.</summary>
internal sealed class CallShape
{
    /// <summary>The call, with arguments in angle brackets.</summary>
    public required string Template { get; init; }

    /// <summary>The machine.</summary>
    public string Machine { get; init; } = "profile=6.18";

    /// <summary>Calls to be made before all others.</summary>
    public string Before { get; init; } = "";

    /// <summary>The arguments of the call that succeeds.</summary>
    public required Dictionary<string, string> Arguments { get; init; }

    /// <summary>The flaws, by precedence.</summary>
    public required ImmutableArray<Flaw> Flaws { get; init; }

    /// <summary>Pairs of rules of which the one takes away the ground of the other.</summary>
    public HashSet<(string, string)> Apart { get; init; } = [];

    /// <summary>Makes the call with these flaws.</summary>
    /// <returns>The rule that decided it; none when the flaws want different values of an
    /// argument.</returns>
    public string? Rule(params ReadOnlySpan<Flaw> flaws)
    {
        var values = new Dictionary<string, string>(Arguments);
        foreach (string name in Arguments.Keys)
        {
            string[]? wanted = null;
            foreach (Flaw flaw in flaws)
            {
                foreach ((string _, string[] admitted) in
                    flaw.Arguments.Where(argument => argument.Name == name))
                {
                    wanted = wanted is null ? admitted
                        : name == "flags" ? [$"{wanted[0]}|{admitted[0]}"]
                        : [.. wanted.Intersect(admitted)];
                }
            }

            if (wanted is [])
            {
                return null;
            }

            values[name] = wanted?[0] ?? values[name];
        }

        var lines = new List<string>();
        foreach (Flaw flaw in flaws)
        {
            lines.AddRange(flaw.Before.Split('\n'));
        }

        // Rights are given up last: the other flaws may need them.
        string before = string.Join('\n', lines.OrderBy(line => line.Contains("setuid")));
        string call = values.Aggregate(
            Template, (text, value) => text.Replace($"<{value.Key}>", value.Value));
        return new Scene(Machine).Play(Before).Play(before).Play(call).Rule;
    }
}
