using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ShmCheck.Abi;

namespace ShmCheck.Faults.Building;

/// <summary>Gives every loop of a source a bound, behind which it throws
/// <see cref="EndlessLoopException"/>: no thread can be ended from outside, and a fault may make a
/// loop endless. Lines stay where they are.</summary>
internal static class LoopBounds
{
    /// <summary>Rounds that no loop needs which ends: the largest machine that is checked has far
    /// fewer frames, and a loop over bytes or addresses is a fault.</summary>
    private const int MostRounds = 1 << 20;

    /// <summary>The source with bounds.</summary>
    public static string Add(string source, CSharpParseOptions options)
    {
        (int At, string Text)[] inserts =
        [
            .. CSharpSyntaxTree.ParseText(source, options).GetRoot().DescendantNodes()
                .SelectMany(Around).OrderBy(insert => insert.At),
        ];
        var bounded = new StringBuilder(source.Length);
        int done = 0;
        foreach ((int at, string text) in inserts)
        {
            bounded.Append(source, done, at - done).Append(text);
            done = at;
        }

        return bounded.Append(source, done, source.Length - done).ToString();
    }

    private static IEnumerable<(int At, string Text)> Around(SyntaxNode node)
    {
        if (BodyOf(node) is not { } body)
        {
            return [];
        }

        string rounds = $"rounds{node.SpanStart}";
        return
        [
            (node.SpanStart, $"{{ int {rounds} = 0; "),
            (body.SpanStart, $"{{ if (++{rounds} > {MostRounds}) throw new global::"
                + $"{typeof(EndlessLoopException).FullName}(); "),
            (body.Span.End, " }"),
            (node.Span.End, " }"),
        ];
    }

    private static StatementSyntax? BodyOf(SyntaxNode node) => node switch
    {
        WhileStatementSyntax loop => loop.Statement,
        DoStatementSyntax loop => loop.Statement,
        ForStatementSyntax loop => loop.Statement,
        CommonForEachStatementSyntax loop => loop.Statement,
        _ => null,
    };
}
