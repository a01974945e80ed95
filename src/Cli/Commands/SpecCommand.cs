using System.CommandLine;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Spec;

namespace ShmCheck.Cli.Commands;

/// <summary><c>spec</c>: the catalogue of rules and invariants.</summary>
internal static class SpecCommand
{
    public static Command Create()
    {
        var rule = new Argument<string?>("rule")
        {
            Description = "name of a rule or invariant, or the beginning of names",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command("spec", "Lists rules and invariants with their sources.")
        {
            rule, json,
        };
        command.SetAction(parsed => Run(parsed.GetValue(rule), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string? name, bool json)
    {
        List<Rule> rules = [.. RuleCatalogue.Rules.Where(r => Matches(r.Id, name))];
        List<Invariant> invariants =
            [.. RuleCatalogue.Invariants.Where(i => Matches(i.Id, name))];
        if (rules.Count + invariants.Count == 0)
        {
            throw new BadInputException(
                $"there is no rule or invariant '{name}'; expected a name or the beginning of "
                + "one, for instance shmget.einval; 'shmcheck spec' lists all");
        }

        if (json)
        {
            Json.Print(new
            {
                Version = Json.Version,
                Rules = rules.Select(r => new
                {
                    r.Id,
                    r.Family,
                    Errno = r.Errno == Errno.None ? null : r.Errno.ToString(),
                    Signal = r.Signal == Signal.None ? null : r.Signal.ToString(),
                    r.Statement,
                    r.Source,
                    Profiles = r.Profiles.Select(KernelProfileText.Of),
                }),
                Invariants = invariants,
            });
        }
        else if (rules.Count + invariants.Count == 1)
        {
            rules.ForEach(PrintWhole);
            invariants.ForEach(i => Console.WriteLine(
                $"{i.Id}\n  {i.Statement}\n  source: {i.Source}"));
        }
        else
        {
            rules.ForEach(r => Console.WriteLine($"{r.Id,-44} {r.Statement}"));
            invariants.ForEach(i => Console.WriteLine($"{i.Id,-44} {i.Statement}"));
        }

        return ExitCode.Conforms;
    }

    private static bool Matches(string id, string? name) =>
        name is null || id == name || id.StartsWith($"{name}.", StringComparison.Ordinal);

    private static void PrintWhole(Rule rule)
    {
        string answer = rule.Signal != Signal.None ? $" ({rule.Signal})"
            : rule.Errno != Errno.None ? $" ({rule.Errno})" : "";
        Console.WriteLine($"{rule.Id}{answer}\n  {rule.Statement}\n  source: {rule.Source}");
        if (rule.Profiles.Length < SystemCapabilities.AllProfiles.Length)
        {
            Console.WriteLine("  kernels: "
                + string.Join(", ", rule.Profiles.Select(KernelProfileText.Of)));
        }
    }
}
