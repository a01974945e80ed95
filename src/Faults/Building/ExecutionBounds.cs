using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ShmCheck.Abi;

namespace ShmCheck.Faults.Building;

/// <summary>Gives every loop of a source a bound, behind which it throws
/// <see cref="EndlessLoopException"/>, and has every method throw
/// <see cref="InsufficientExecutionStackException"/> before the stack ends: no thread can be ended
/// from outside, an overflow of the stack ends the process, and a fault may bring about either.
/// Lines stay where they are.</summary>
/// <remarks>Methods that call none need no stack to speak of, and those that are inlined are called
/// by one that is not.</remarks>
internal static class ExecutionBounds
{
    /// <summary>Rounds that no loop needs which ends: the largest machine that is checked has far
    /// fewer frames, and a loop over bytes or addresses is a fault.</summary>
    private const int MostRounds = 1 << 20;

    private static readonly string HasStack = $"global::{typeof(RuntimeHelpers).FullName}."
        + $"{nameof(RuntimeHelpers.EnsureSufficientExecutionStack)}();";

    /// <summary>The source with bounds.</summary>
    public static string Add(string source, CSharpParseOptions options)
    {
        Edit[] edits =
        [
            .. CSharpSyntaxTree.ParseText(source, options).GetRoot().DescendantNodes()
                .SelectMany(Edits).OrderBy(edit => edit.At),
        ];
        var bounded = new StringBuilder(source.Length);
        int done = 0;
        foreach (Edit edit in edits)
        {
            bounded.Append(source, done, edit.At - done).Append(edit.Text);
            done = edit.At + edit.Replaced;
        }

        return bounded.Append(source, done, source.Length - done).ToString();
    }

    private static IEnumerable<Edit> Edits(SyntaxNode node) => node switch
    {
        BlockSyntax
        {
            Parent: BaseMethodDeclarationSyntax or AccessorDeclarationSyntax
                or LocalFunctionStatementSyntax,
        } body when MayRecurse(body) => [new Edit(body.OpenBraceToken.Span.End, $" {HasStack}")],
        ArrowExpressionClauseSyntax body when MayRecurse(body) => AroundExpression(body),
        _ when BodyOf(node) is { } body => AroundLoop(node, body),
        _ => [],
    };

    private static Edit[] AroundLoop(SyntaxNode loop, StatementSyntax body)
    {
        string rounds = $"rounds{loop.SpanStart}";
        return
        [
            new(loop.SpanStart, $"{{ int {rounds} = 0; "),
            new(body.SpanStart, $"{{ if (++{rounds} > {MostRounds}) throw new global::"
                + $"{typeof(EndlessLoopException).FullName}(); "),
            new(body.Span.End, " }"),
            new(loop.Span.End, " }"),
        ];
    }

    /// <summary>Makes a body that is an expression one that has a statement before it.</summary>
    private static Edit[] AroundExpression(ArrowExpressionClauseSyntax body)
    {
        SyntaxNode member = body.Parent!;
        string getter = member is BasePropertyDeclarationSyntax ? "get { " : "";
        string gives = body.Expression is ThrowExpressionSyntax || GivesNothing(member)
            ? "" : "return";
        return
        [
            new(body.ArrowToken.SpanStart, $"{{ {getter}{HasStack} {gives}")
            {
                Replaced = body.ArrowToken.Span.Length,
            },
            new(member.GetLastToken().Span.End, getter.Length > 0 ? " } }" : " }"),
        ];
    }

    private static bool MayRecurse(SyntaxNode body)
    {
        SyntaxNode member = body.Parent is AccessorDeclarationSyntax accessor
            ? accessor.FirstAncestorOrSelf<BasePropertyDeclarationSyntax>()! : body.Parent!;
        bool inlined = member is MemberDeclarationSyntax { AttributeLists: { Count: > 0 } lists }
            && lists.ToString().Contains(
                nameof(MethodImplOptions.AggressiveInlining), StringComparison.Ordinal);
        string? name = member switch
        {
            MethodDeclarationSyntax method => method.Identifier.Text,
            PropertyDeclarationSyntax property => property.Identifier.Text,
            _ => null,
        };
        return body.DescendantNodes().Any(node =>
            (!inlined && node is InvocationExpressionSyntax)
            || (node is IdentifierNameSyntax used && used.Identifier.Text == name));
    }

    private static bool GivesNothing(SyntaxNode member) => member switch
    {
        MethodDeclarationSyntax method => IsVoid(method.ReturnType),
        LocalFunctionStatementSyntax function => IsVoid(function.ReturnType),
        AccessorDeclarationSyntax accessor =>
            !accessor.IsKind(SyntaxKind.GetAccessorDeclaration),
        _ => member is ConstructorDeclarationSyntax or DestructorDeclarationSyntax,
    };

    private static bool IsVoid(TypeSyntax type) =>
        type is PredefinedTypeSyntax { Keyword.RawKind: (int)SyntaxKind.VoidKeyword };

    private static StatementSyntax? BodyOf(SyntaxNode node) => node switch
    {
        WhileStatementSyntax loop => loop.Statement,
        DoStatementSyntax loop => loop.Statement,
        ForStatementSyntax loop => loop.Statement,
        CommonForEachStatementSyntax loop => loop.Statement,
        _ => null,
    };

    /// <summary>A text to be put in at a place, for so many characters that stood there.</summary>
    private readonly record struct Edit(int At, string Text)
    {
        public int Replaced { get; init; }
    }
}
